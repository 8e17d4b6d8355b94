import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import type { AppProtocol, Endpoint, MeshService, MeshSnapshot, MtlsMode, Workload } from '../mesh/snapshot.ts';
import type { ProxyIdentity, ResourceChange, XdsResource } from './resource.ts';
import { type Edit, trafficEdits } from './testing/mesh-edits.ts';
import { deltaBetween, endpoint, port, proxyOf, service, snapshotOf, workload } from './testing/mesh-fixture.ts';
import { XdsCache } from './xds-cache.ts';

const PROXIES = [proxyOf('w0'), proxyOf('w1'), proxyOf('w2', 'bank'), proxyOf('unknown', 'bank')];
const PROTOCOLS: readonly AppProtocol[] = ['http', 'http2', 'grpc', 'tcp', 'tls', 'auto', 'udp'];
const NAMES = ['a.shop', 'b.shop', 'a.bank', 'pods.shop'];
const HOSTS = NAMES.map((name) => `${name}.svc.cluster.local`);

const ports = fc
  .uniqueArray(fc.tuple(fc.constantFrom(80, 81, 9000), fc.constantFrom(...PROTOCOLS)), {
    selector: ([n]) => n,
    maxLength: 3,
  })
  .map((list) => list.map(([number, protocol]) => port(number, protocol, `p${number}`)));

const split = fc.record(
  {
    canary: fc.constant({ kind: 'Canary', namespace: 'shop', name: 'a' }),
    label: fc.constant('pod-template-hash'),
    stable: fc.constantFrom('r1', 'r2'),
    next: fc.constantFrom('r2', 'r3'),
    weight: fc.integer({ min: 0, max: 100 }),
  },
  { requiredKeys: ['canary', 'label', 'stable', 'weight'] },
);

const services: fc.Arbitrary<MeshService> = fc
  .record({
    name: fc.constantFrom(...NAMES),
    ports,
    kind: fc.constantFrom('ClusterIP', 'Headless', 'ExternalName' as const),
    address: fc.constantFrom('10.96.0.1', '10.96.0.2', 'fd00::1'),
    externalName: fc.constantFrom(...HOSTS, 'example.com'),
    split: fc.option(split, { nil: undefined }),
  })
  .map(({ name, ports, kind, address, externalName, split }) =>
    service(name, ports, {
      kind: kind as MeshService['kind'],
      addresses: kind === 'ClusterIP' ? [address] : [],
      ...(kind === 'ExternalName' ? { externalName } : {}),
      ...(split === undefined ? {} : { split: split as NonNullable<MeshService['split']> }),
    }),
  );

const endpoints: fc.Arbitrary<Endpoint> = fc
  .record({
    host: fc.integer({ min: 1, max: 5 }),
    account: fc.constantFrom('app', 'other', undefined),
    revision: fc.constantFrom('r1', 'r2', 'r3'),
    gated: fc.boolean(),
    plaintextPorts: fc.constantFrom([], [80]),
    zone: fc.constantFrom('z1', 'z2'),
    named: fc.boolean(),
  })
  .map(({ host, account, revision, gated, plaintextPorts, zone, named }) =>
    endpoint(`10.0.0.${host}`, named ? { p80: 80, p81: 8081, p9000: 9000 } : { p80: 8080 }, {
      revision,
      labels: { version: String(host % 3) },
      gated,
      plaintextPorts,
      mtls: account !== undefined,
      spiffeId: `spiffe://cluster.local/ns/shop/sa/${account}`,
      locality: { region: 'r', zone, subzone: '' },
    }),
  );

const workloads: fc.Arbitrary<Workload> = fc
  .record({
    uid: fc.constantFrom('w0', 'w1', 'w2'),
    mode: fc.constantFrom<MtlsMode>('STRICT', 'PERMISSIVE', 'DISABLE'),
    ports: fc.dictionary(fc.constantFrom('8080', '9000'), fc.constantFrom<MtlsMode>('STRICT', 'DISABLE')),
    protocol: fc.constantFrom(...PROTOCOLS),
    address: fc.constantFrom('10.0.0.1', 'fd00::7'),
    tier: fc.constantFrom('x', 'y'),
    zone: fc.constantFrom('z1', 'z2'),
    sidecar: fc.constantFrom('Sidecar/shop/s0', 'Sidecar/shop/s1', undefined),
    dnsCapture: fc.boolean(),
    onDemand: fc.boolean(),
  })
  .map(({ uid, mode, ports, protocol, address, tier, zone, sidecar, dnsCapture, onDemand }) =>
    workload(uid, {
      namespace: uid === 'w2' ? 'bank' : 'shop',
      labels: { app: uid, tier },
      addresses: [address],
      inbound: [{ port: 8080, protocol }],
      mtls: { mode, ports, policies: [] },
      locality: { region: 'r', zone, subzone: '' },
      dnsCapture,
      onDemand,
      ...(sidecar === undefined ? {} : { sidecar }),
    }),
  );

const edits: fc.Arbitrary<Edit> = fc.oneof(
  { weight: 4, arbitrary: trafficEdits },
  services.map(
    (entry): Edit =>
      (mesh) => ({ ...mesh, services: mesh.services.set(entry.hostname, entry) }),
  ),
  fc.constantFrom(...HOSTS).map(
    (host): Edit =>
      (mesh) => ({ ...mesh, services: mesh.services.delete(host) }),
  ),
  fc.tuple(fc.constantFrom(...HOSTS), fc.array(endpoints, { maxLength: 4 })).map(
    ([host, pods]): Edit =>
      (mesh) => ({ ...mesh, endpoints: mesh.endpoints.set(host, pods) }),
  ),
  workloads.map(
    (entry): Edit =>
      (mesh) => ({ ...mesh, workloads: mesh.workloads.set(entry.uid, entry) }),
  ),
  fc.constantFrom('w0', 'w1', 'w2').map(
    (uid): Edit =>
      (mesh) => ({ ...mesh, workloads: mesh.workloads.delete(uid) }),
  ),
);

function applyEdits(mesh: MeshSnapshot, list: readonly Edit[]): MeshSnapshot {
  return list.reduce((state, edit) => edit(state), mesh);
}

const snapshots = fc.array(edits, { maxLength: 16 }).map((list) => applyEdits(snapshotOf({}), list));
const batches = fc.array(edits, { minLength: 1, maxLength: 3 });

type Content = Record<string, { version: string; bytes: string }>;

function contentFor(cache: XdsCache, proxy: ProxyIdentity): Content {
  const resources = cache.typeUrls.flatMap((typeUrl) => [...cache.wildcard(proxy, typeUrl).values()]);
  const entry = ({ typeUrl, name, version, bytes }: XdsResource) =>
    [`${typeUrl} ${name}`, { version, bytes: Buffer.from(bytes).toString('hex') }] as const;
  return Object.fromEntries(resources.map(entry).sort(([a], [b]) => (a < b ? -1 : 1)));
}

function versionsOf(content: Content): Record<string, string> {
  return Object.fromEntries(Object.entries(content).map(([key, { version }]) => [key, version]));
}

/** A proxy that looks at nothing but what it was told of since it joined, as streams do. */
class HeldByProxy {
  readonly versions: Map<string, string>;
  private readonly heard = new Map<string, Set<string>>();

  constructor(content: Content) {
    this.versions = new Map(Object.entries(versionsOf(content)));
  }

  hear(change: ResourceChange, proxy: ProxyIdentity): void {
    for (const [typeUrl, names] of change.affected(proxy) ?? []) {
      this.heard.set(typeUrl, new Set([...(this.heard.get(typeUrl) ?? []), ...names]));
    }
  }

  look(cache: XdsCache, proxy: ProxyIdentity): void {
    for (const [typeUrl, names] of this.heard) {
      for (const name of names) {
        const newest = cache.inWildcard(proxy, typeUrl, name) ? cache.lookup(proxy, typeUrl, name) : undefined;
        if (newest === undefined) this.versions.delete(`${typeUrl} ${name}`);
        else this.versions.set(`${typeUrl} ${name}`, newest.version);
      }
    }
    this.heard.clear();
  }
}

function freshCache(snapshot: MeshSnapshot): XdsCache {
  const cache = new XdsCache();
  cache.update(snapshot, deltaBetween(undefined, snapshot));
  return cache;
}

describe('XdsCache', () => {
  test('gives after any sequence of updates what a new cache gives for the last snapshot', () => {
    fc.assert(
      fc.property(snapshots, fc.array(batches, { minLength: 1, maxLength: 12 }), (start, sequence) => {
        const cache = freshCache(start);
        let before = start;
        for (const batch of sequence) {
          const snapshot = applyEdits(before, batch);
          cache.update(snapshot, deltaBetween(before, snapshot));
          before = snapshot;
          for (const proxy of PROXIES) contentFor(cache, proxy);
        }
        const fresh = freshCache(before);
        for (const proxy of PROXIES) expect(contentFor(cache, proxy)).toEqual(contentFor(fresh, proxy));
      }),
      { numRuns: 30 },
    );
  });

  test('tells every proxy what differs for it, whoever has looked at what before', () => {
    const step = fc.record({ batch: batches, look: fc.subarray(PROXIES), join: fc.subarray(PROXIES) });
    fc.assert(
      fc.property(snapshots, fc.array(step, { minLength: 1, maxLength: 6 }), (start, steps) => {
        const cache = freshCache(start);
        const held = new Map<ProxyIdentity, HeldByProxy>();
        cache.onChange((change) => {
          for (const [proxy, one] of held) one.hear(change, proxy);
        });
        let mesh = start;
        for (const { batch, look, join } of steps) {
          for (const proxy of join) held.set(proxy, new HeldByProxy(contentFor(cache, proxy)));
          const next = applyEdits(mesh, batch);
          cache.update(next, deltaBetween(mesh, next));
          mesh = next;
          for (const proxy of look) held.get(proxy)?.look(cache, proxy);
        }
        const fresh = freshCache(mesh);
        for (const [proxy, one] of held) {
          one.look(cache, proxy);
          expect(Object.fromEntries(one.versions)).toEqual(versionsOf(contentFor(fresh, proxy)));
        }
      }),
      { numRuns: 100 },
    );
  });

  test('gives equal bytes for equal versions, whatever the snapshot', () => {
    const bytesOf = new Map<string, string>();
    fc.assert(
      fc.property(snapshots, (snapshot) => {
        for (const proxy of PROXIES) {
          for (const [name, { version, bytes }] of Object.entries(contentFor(freshCache(snapshot), proxy))) {
            const key = `${name} ${version}`;
            expect(bytesOf.get(key) ?? bytes).toBe(bytes);
            bytesOf.set(key, bytes);
          }
        }
      }),
      { numRuns: 60 },
    );
  });
});
