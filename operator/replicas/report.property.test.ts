import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { silentLogger } from '../../kube/logger.ts';
import type { ProxyReport, RejectedResource } from '../ads/ack-report.ts';
import { CLUSTER_TYPE, type ProxyIdentity, VIRTUAL_HOST_TYPE } from '../xds/resource.ts';
import { RemoteProxies } from './remote-proxies.ts';
import { decodeReport, encodeReport, NOTHING_TO_REPORT, type ReportMessage } from './report-message.ts';
import { ReportQueue } from './report-queue.ts';

const TYPES = [CLUSTER_TYPE, VIRTUAL_HOST_TYPE];
const UIDS = ['u1', 'u2', 'u3'];
const NAMES = ['a', 'b', 'c'];

/** A proxy as the replica with its stream knows it. */
class KnownProxy implements ProxyReport {
  readonly identity;
  readonly connectedAt: number;
  connected = true;
  refused: RejectedResource[] = [];
  readonly inForce = new Map<string, Map<string, string>>(TYPES.map((typeUrl) => [typeUrl, new Map()]));

  constructor(uid: string, connectedAt: number) {
    this.identity = { uid, podName: `pod-${uid}`, namespace: 'shop', serviceAccount: 'app' };
    this.connectedAt = connectedAt;
  }
  acknowledged = (typeUrl: string, name: string) => this.inForce.get(typeUrl)?.get(name);
  versions = (typeUrl: string) => this.inForce.get(typeUrl) ?? [];
  rejections = () => this.refused;
  asksFor = (_: string, name: string) => name !== 'a';
}

function plain(report: ProxyReport): object {
  const { identity, connected, connectedAt } = report;
  const versions = TYPES.map((typeUrl) => [...report.versions(typeUrl)].sort());
  return { identity, connected, connectedAt, versions, refused: report.rejections() };
}

const uid = fc.constantFrom(...UIDS);
const step = fc.oneof(
  fc.record({ kind: fc.constant('open' as const), uid }),
  fc.record({ kind: fc.constant('close' as const), uid }),
  fc.record({ kind: fc.constant('forget' as const), uid }),
  {
    weight: 4,
    arbitrary: fc.record({
      kind: fc.constant('answer' as const),
      uid,
      typeUrl: fc.constantFrom(...TYPES),
      name: fc.constantFrom(...NAMES),
      version: fc.constantFrom(undefined, '1', '2'),
      refused: fc.boolean(),
    }),
  },
  { weight: 2, arbitrary: fc.record({ kind: fc.constant('tell' as const) }) },
);

/** Of terms: how many are kept though nobody has them, and how many are numbered before numbers begin anew. */
const bounds = fc.record({ few: fc.constantFrom(1, 100_000), numbered: fc.constantFrom(2, 500_000) });

describe('a replica’s report', () => {
  test('brings another replica to what this one knows, whenever it is told', () => {
    fc.assert(
      fc.property(fc.array(step, { maxLength: 60, size: 'max' }), bounds, (steps, { few, numbered }) => {
        const proxies = new Map<string, KnownProxy>();
        const queue = new ReportQueue((one) => proxies.get(one), numbered);
        const used = new Map<string, Set<string>>();
        const note = (kind: string) => (proxy: ProxyIdentity, typeUrl: string, names: readonly string[]) => {
          const known = used.get(`${proxy.uid} ${typeUrl}`) ?? new Set();
          for (const name of names) known.add(`${kind} ${name}`);
          used.set(`${proxy.uid} ${typeUrl}`, known);
        };
        const use = { remembers: () => true, asked: note('asked'), held: note('held') };
        const remote = new RemoteProxies({ metrics: () => undefined, logger: silentLogger, fewTerms: few, use });
        const identity = { uid: 'replica', podName: 'operator-1', namespace: 'system', serviceAccount: 'operator' };
        const caller = { identity, expiresAt: 0, checkNodeId: () => undefined };
        const listener = remote.conversation().start(caller, () => undefined);
        const tell = (): void => {
          for (let message = queue.next(); message !== undefined; message = queue.next()) {
            listener.message(encodeReport(message));
          }
        };
        let clock = 0;
        for (const one of steps) {
          if (one.kind === 'tell') {
            const message = queue.next();
            if (message !== undefined) listener.message(encodeReport(message));
            continue;
          }
          const proxy = proxies.get(one.uid);
          if (one.kind === 'open') {
            const fresh = new KnownProxy(one.uid, ++clock);
            // One that comes back says at once what it has.
            if (clock % 2 === 0) fresh.inForce.get(CLUSTER_TYPE)?.set('a', '1');
            proxies.set(one.uid, fresh);
            queue.proxy(one.uid, proxies.get(one.uid));
          } else if (one.kind === 'forget') {
            proxies.delete(one.uid);
            queue.proxy(one.uid, undefined);
          } else if (proxy !== undefined && one.kind === 'close') {
            proxy.connected = false;
            queue.proxy(one.uid, proxy);
          } else if (proxy?.connected && one.kind === 'answer') {
            const { typeUrl, name, version } = one;
            if (version === undefined) proxy.inForce.get(typeUrl)?.delete(name);
            else proxy.inForce.get(typeUrl)?.set(name, version);
            proxy.refused = one.refused ? [{ typeUrl, name, version: 'bad', message: 'no' }] : [];
            queue.resources(one.uid, typeUrl, [name]);
          }
        }
        tell();
        const known = [...remote.proxies()].map(plain);
        expect(known).toHaveLength(proxies.size);
        expect(known).toEqual(expect.arrayContaining([...proxies.values()].map(plain)));
        for (const [uid, { inForce }] of proxies) {
          const names = [...(inForce.get(CLUSTER_TYPE)?.keys() ?? [])];
          const told = [...(used.get(`${uid} ${CLUSTER_TYPE}`) ?? [])];
          expect(told).toEqual(
            expect.arrayContaining(names.map((name) => (name === 'a' ? `held ${name}` : `asked ${name}`))),
          );
          for (const wrong of ['asked a', 'held b', 'held c']) expect(told).not.toContain(wrong);
        }
        expect(remote.hears('replica')).toBe(true);
        listener.closed();
        expect(remote.hears('replica')).toBe(false);
        expect([...remote.proxies()].filter(({ connected }) => connected)).toEqual([]);
      }),
      { numRuns: 300 },
    );
  });
});

describe('a report message', () => {
  const text = fc.string();
  const term = fc.record({ typeUrl: text, name: text, version: text });
  const message: fc.Arbitrary<ReportMessage> = fc.record({
    nodeId: text,
    termsAnew: fc.boolean(),
    terms: fc.array(term),
    states: fc.array(
      fc.record({
        uid: text,
        podName: text,
        namespace: text,
        serviceAccount: text,
        connected: fc.boolean(),
        connectedAt: fc.maxSafeNat(),
      }),
    ),
    forgotten: fc.array(fc.string({ minLength: 1 })),
    inForce: fc.array(fc.record({ uid: text, terms: fc.array(fc.nat()), asked: fc.array(fc.nat()) })),
    rejections: fc.array(
      fc.record({
        uid: text,
        refused: fc.array(fc.record({ typeUrl: text, name: text, version: text, message: text })),
      }),
    ),
    metrics: fc.array(fc.record({ uid: text, message: fc.uint8Array() })),
    whole: fc.boolean(),
  });

  test('is read as it was written', () => {
    fc.assert(
      fc.property(message, (one) => {
        const read = decodeReport(encodeReport(one));
        const metrics = read.metrics.map((entry) => ({ ...entry, message: new Uint8Array(entry.message) }));
        expect({ ...read, metrics }).toEqual(one);
      }),
      { numRuns: 200 },
    );
  });

  test('of nothing takes no bytes, and what is no message is refused', () => {
    expect(encodeReport(NOTHING_TO_REPORT)).toHaveLength(0);
    expect(() => decodeReport(Buffer.from([0x22, 0xff, 0x01]))).toThrow();
  });
});
