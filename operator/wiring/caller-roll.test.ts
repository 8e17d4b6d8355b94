import { beforeEach, expect, test } from '@jest/globals';
import type { ProxyReport } from '../ads/ack-report.ts';
import type { MeshSnapshot, Workload } from '../mesh/snapshot.ts';
import { CallerRoll } from './caller-roll.ts';

const target = { namespace: 'shop', stable: 'a', next: 'b' };

let workloads: ReadonlyMap<string, Workload>;
let reports: ProxyReport[];
let moves: number;
let asked: number;
let roll: CallerRoll;

const reportOf = (uid: string, connected = true) => ({ identity: { uid }, connected }) as ProxyReport;
const podOf = (namespace: string, revision = '') => ({ namespace, revision }) as Workload;
const uids = (): string[] => roll.callers(target).map(({ identity }) => identity.uid);

beforeEach(() => {
  workloads = new Map([
    ['ui', podOf('shop')],
    ['stable', podOf('shop', 'a')],
    ['tried', podOf('shop', 'b')],
    ['namesake', podOf('bank', 'a')],
    ['cart', podOf('shop', 'c')],
    ['away', podOf('shop')],
  ]);
  reports = ['ui', 'stable', 'tried', 'namesake', 'cart', 'stranger'].map((uid) => reportOf(uid));
  reports.push(reportOf('away', false));
  moves = 0;
  asked = 0;
  const acks = {
    get moves() {
      return moves;
    },
    proxies: () => {
      asked += 1;
      return reports;
    },
  };
  roll = new CallerRoll(() => ({ workloads }) as unknown as MeshSnapshot, acks);
});

test('all sidecars of the mesh with a stream call, but those of the target itself', () => {
  expect(uids()).toEqual(['ui', 'namesake', 'cart']);
  expect(roll.count(target)).toBe(3);
  expect(roll.count({ ...target, next: 'a' })).toBe(4);
});

test('they are looked up once for all that ask while nobody comes or goes', () => {
  for (let canary = 0; canary < 1000; canary++) roll.count({ ...target, namespace: `team-${canary}` });
  expect(uids()).toHaveLength(3);
  expect(asked).toBe(1);
});

test('they are looked up anew once a stream began or ended, or a pod changed', () => {
  uids();
  reports = reports.filter(({ identity }) => identity.uid !== 'ui');
  moves = 1;
  expect(uids()).toEqual(['namesake', 'cart']);
  workloads = new Map([...workloads, ['stranger', podOf('shop')]]);
  expect(uids()).toEqual(['namesake', 'cart', 'stranger']);
});
