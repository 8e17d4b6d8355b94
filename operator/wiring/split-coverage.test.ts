import { describe, expect, test } from '@jest/globals';
import type { AckReport, ProxyReport } from '../ads/ack-report.ts';
import type { SplitQuery } from '../canary/ports.ts';
import { objectKey } from '../mesh/object-ref.ts';
import type { MeshService, MeshSnapshot, RevisionSplit, Workload } from '../mesh/snapshot.ts';
import type { SplitTerms } from '../mesh/split-terms.ts';
import type { PolicyCarriers } from '../xds/policy-carriers.ts';
import { VIRTUAL_HOST_TYPE } from '../xds/resource.ts';
import { SplitCoverage } from './split-coverage.ts';

const query: SplitQuery = {
  namespace: 'shop',
  canary: 'young',
  services: ['young.shop.svc', 'shared.shop.svc'],
  stable: 'y1',
  next: 'y2',
  side: { weight: 50, matched: false, mirror: 0 },
  terms: '',
};

const splitOf = (canary: string, stable: string, next: string, weight = 50): RevisionSplit => ({
  canary: { kind: 'Canary', namespace: 'shop', name: canary },
  stable,
  next,
  weight,
});

const ours = splitOf('young', 'y1', 'y2');
const older = splitOf('old', 'o1', 'o2', 5);

/** Coverage by one caller that has acknowledged the newest of everything but the routes named here. */
function coverage(
  splits: Record<string, RevisionSplit | undefined>,
  behindOn: readonly string[] = [],
  asked: Partial<SplitQuery> = {},
) {
  const services = new Map(
    Object.entries(splits).map(([name, split], at) => {
      const ports = [{ name: 'http', port: 8000 + at, protocol: 'http' }];
      return [`${name}.shop.svc`, { split, ports } as unknown as MeshService];
    }),
  );
  const workloads = new Map([['caller', { namespace: 'shop', revision: 'c1' } as Workload]]);
  const report = {
    identity: { uid: 'caller' },
    connected: true,
    acknowledged: (_type: string, name: string) => (behindOn.some((part) => name.includes(part)) ? 'old' : 'new'),
  } as unknown as ProxyReport;
  const acks = { moves: 0, proxies: () => [report] } as unknown as AckReport;
  const carriers: PolicyCarriers = {
    kinOf: () => '',
    carriersOf: (_, policy) =>
      [...services.values()]
        .filter(({ split }) => split !== undefined && objectKey(split.canary) === policy)
        .flatMap(({ ports }) => ports.map(({ port }) => ({ typeUrl: VIRTUAL_HOST_TYPE, name: `${port}/host` }))),
    isCurrent: (_proxy, _policy, _resource, version) => version === 'new',
  };
  const snapshot = { services, workloads } as unknown as MeshSnapshot;
  const { services: _, ...rest } = query;
  const found = new SplitCoverage(() => snapshot, acks, carriers);
  const addresses = Object.keys(splits).filter((name) => splits[name]?.side === 'canary');
  return {
    ...found.coverage({ ...query, ...asked }),
    addressed: found.addressed({ ...rest, services: addresses.map((name) => `${name}.shop.svc`) }).acknowledged,
  };
}

describe('a weight', () => {
  test('is in force with a caller that it stands in nothing of', () => {
    const snapshot = {
      services: new Map([['young.shop.svc', { split: ours, ports: [] } as unknown as MeshService]]),
      workloads: new Map([['caller', { namespace: 'far', revision: 'c1' } as Workload]]),
    } as unknown as MeshSnapshot;
    const report = { identity: { uid: 'caller' }, connected: true, acknowledged: () => undefined };
    const acks = { moves: 0, proxies: () => [report] } as unknown as AckReport;
    const carriers: PolicyCarriers = { kinOf: () => '', carriersOf: () => [], isCurrent: () => false };
    const split = { ...query, services: ['young.shop.svc'] };
    expect(new SplitCoverage(() => snapshot, acks, carriers).coverage(split)).toMatchObject({
      callers: 1,
      acknowledged: 1,
    });
  });

  test.each([
    ['is in force once callers have the routes of every Service', { young: ours, shared: ours }, [], 1],
    ['is not while a caller lacks the routes of one', { young: ours, shared: ours }, ['8001'], 0],
    ['is not while the snapshot has another weight', { young: splitOf('young', 'y1', 'y2', 5), shared: ours }, [], 0],
    [
      'is where the new revision gets all for want of a stable pod',
      { young: { ...ours, weight: 100, asked: ours.weight }, shared: ours },
      [],
      1,
    ],
    ['is not while a Service has no split', { young: ours, shared: undefined }, [], 0],
    ['is, beside a Service that an older Canary splits', { young: ours, shared: older }, [], 1],
    ['is, whatever callers have of the Service of an older Canary', { young: ours, shared: older }, ['8001'], 1],
    ['is not when every Service is split by an older Canary', { young: older, shared: older }, [], 0],
  ])('%s', (_, splits, behindOn, acknowledged) => {
    expect(coverage(splits, behindOn)).toMatchObject({ callers: 1, acknowledged });
  });
});

describe('who waits for a weight', () => {
  const shown = { 'young.shop.svc': { split: ours, ports: [] } };
  const split = { ...query, services: ['young.shop.svc'] };
  const versions: Record<string, string> = {};
  const connected = new Set(['ui', 'cart']);
  const reports = ['ui', 'cart'].map((uid) => ({
    identity: { uid },
    get connected() {
      return connected.has(uid);
    },
    connectedAt: 1,
    acknowledged: () => versions[uid],
  }));
  const acks = {
    // Never the same: some are connected, and then are not.
    moves: Number.NaN,
    proxies: () => reports,
    proxy: (wanted: string) => reports.find(({ identity }) => identity.uid === wanted),
  } as unknown as AckReport;
  const carriers: PolicyCarriers = {
    kinOf: () => '',
    carriersOf: () => [{ typeUrl: VIRTUAL_HOST_TYPE, name: '80/host' }],
    isCurrent: (_proxy, _policy, _resource, version) => version === 'new',
  };
  const workload = { namespace: 'far', revision: 'c1' } as Workload;
  const services = new Map<string, unknown>();
  const snapshot = { services, workloads: new Map(reports.map(({ identity }) => [identity.uid, workload])) };
  const ask = () => new SplitCoverage(() => snapshot as unknown as MeshSnapshot, acks, carriers).coverage(split);

  test('asks anew when the mesh has it, when none is behind any more, and when one that was is gone', () => {
    const early = ask();
    expect(early.isWorthAsking?.(new Set(['ui']))).toBe(false);
    for (const [name, service] of Object.entries(shown)) services.set(name, service);
    expect(early.isWorthAsking?.(new Set(['ui']))).toBe(true);
    const { acknowledged, isWorthAsking } = ask();
    expect(acknowledged).toBe(0);
    expect(isWorthAsking?.(new Set(['ui', 'cart']))).toBe(false);
    versions.ui = 'new';
    expect(isWorthAsking?.(new Set(['ui', 'stranger']))).toBe(false);
    connected.delete('cart');
    expect(isWorthAsking?.(new Set(['cart']))).toBe(true);
    connected.add('cart');
    versions.cart = 'new';
    expect(isWorthAsking?.(new Set(['ui']))).toBe(false);
    expect(isWorthAsking?.(new Set(['cart']))).toBe(true);
  });
});

describe('the address of the new revision', () => {
  const address: RevisionSplit = { ...ours, weight: 100, side: 'canary' };
  const { next: _, ...podless } = address;

  test.each<[string, RevisionSplit, readonly string[], number]>([
    ['is in force once callers have its routes', address, [], 1],
    ['is not while a caller lacks them', address, ['8002'], 0],
    ['is not while it leads to the stable revision', { ...address, weight: 0 }, [], 0],
    ['is not while no pod of the new revision is there', { ...podless, weight: 0 }, [], 0],
    ['is not while it leads to another revision', { ...address, next: 'y3' }, [], 0],
    ['is not when it is that of another Canary', { ...older, weight: 100, side: 'canary' }, [], 0],
  ])('%s', (_, split, behindOn, addressed) => {
    expect(coverage({ young: ours, shared: ours, address: split }, behindOn).addressed).toBe(addressed);
  });

  test('says nothing of how far a weight has got', () => {
    const split = { ...podless, weight: 0 };
    expect(coverage({ young: ours, shared: ours, address: split })).toMatchObject({ callers: 1, acknowledged: 1 });
  });
});

describe('a split by more than weight', () => {
  const terms = (more: Partial<SplitTerms> = {}): SplitTerms => ({ matches: [], mirror: 0, key: 'a', ...more });
  const matches = [{ ignoreUriCase: false, headers: [], withoutHeaders: [], queryParams: [] }];
  const matched = { side: { weight: 0, matched: true, mirror: 0 }, terms: 'a' };
  const copied = { side: { weight: 0, matched: false, mirror: 30 }, terms: '' };
  const affine = { terms: 'a' };

  test.each<[string, number, SplitTerms | undefined, Partial<SplitQuery>, number]>([
    ['is in force with its matches', 0, terms({ matches }), matched, 1],
    ['is not before the mesh has the matches', 0, undefined, matched, 0],
    ['is not with the matches of an older spec', 0, terms({ matches, key: 'b' }), matched, 0],
    ['is not while matches are to be over', 0, terms({ matches }), { side: { ...matched.side, matched: false } }, 0],
    ['is in force with its copies', 0, terms({ mirror: 30, key: '' }), copied, 1],
    ['is not with another part of copies', 0, terms({ mirror: 100, key: '' }), copied, 0],
    ['is not while copies are still made', 50, terms({ mirror: 30, key: '' }), {}, 0],
    ['is in force with its cookies', 50, terms(), affine, 1],
    ['is not before the mesh has the cookies', 50, undefined, affine, 0],
    ['is not while the mesh has the cookies of an older spec', 50, terms({ key: 'b' }), affine, 0],
    ['is not while cookies are to be over', 50, terms(), {}, 0],
  ])('%s', (_, weight, shown, asked, acknowledged) => {
    const split = { ...splitOf('young', 'y1', 'y2', weight), ...(shown && { terms: shown }) };
    expect(coverage({ young: split, shared: split }, [], asked)).toMatchObject({ callers: 1, acknowledged });
  });

  test('is nothing where no pod of the new revision is', () => {
    const { next: _, ...none } = splitOf('young', 'y1', 'y2', 0);
    expect(coverage({ young: none, shared: none }, [], matched).acknowledged).toBe(0);
    expect(
      coverage({ young: none, shared: none }, [], { side: { weight: 0, matched: false, mirror: 0 } }),
    ).toMatchObject({
      callers: 1,
      acknowledged: 1,
    });
  });
});

test('Services carry HTTP when one of their ports does, or may', () => {
  const service = (...protocols: string[]) =>
    ({ ports: protocols.map((protocol) => ({ protocol })) }) as unknown as MeshService;
  const services = new Map([
    ['db', service('tcp', 'tls')],
    ['web', service('tcp', 'http')],
    ['any', service('auto')],
  ]);
  const snapshot = { services } as unknown as MeshSnapshot;
  const none = { kinOf: () => '', carriersOf: () => [], isCurrent: () => false };
  const coverage = new SplitCoverage(() => snapshot, { proxies: () => [] } as unknown as AckReport, none);
  const asked = [['db'], ['db', 'web'], ['any'], ['gone'], []].map((names) => coverage.carriesHttp(names));
  expect(asked).toEqual([false, true, true, undefined, undefined]);
});
