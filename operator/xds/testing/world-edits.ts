import fc from 'fast-check';
import { extensionProvider } from '../../../api/extension-provider.ts';
import type { AttachedPolicy } from '../../mesh/authorization.ts';
import type { AppProtocol, Endpoint, MeshService, MeshSnapshot, MtlsMode, Workload } from '../../mesh/snapshot.ts';
import { type Edit, trafficEdits } from './mesh-edits.ts';
import { endpoint, port, proxyOf, service, snapshotOf, workload } from './mesh-fixture.ts';

/** Those whose pods `worldEdits` make, and one that is no workload. */
export const PROXIES = [proxyOf('w0'), proxyOf('w1'), proxyOf('w2', 'bank'), proxyOf('unknown', 'bank')];
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

/** A policy that asks a service, which may be there or not. */
const asking: fc.Arbitrary<AttachedPolicy> = fc
  .record({
    host: fc.constantFrom(...HOSTS.slice(0, 2)),
    port: fc.constant(80),
    isGrpc: fc.boolean(),
    dryRun: fc.boolean(),
  })
  .map(({ host, port, isGrpc, dryRun }) => {
    const protocol = isGrpc ? 'envoyExtAuthzGrpc' : 'envoyExtAuthzHttp';
    const provider = extensionProvider.parse({ name: `${host}/${port}`, [protocol]: { service: host, port } });
    const ref = { kind: 'AuthorizationPolicy', namespace: 'shop', name: 'asks' };
    const digest = `${provider.name} ${dryRun}`;
    const rules = { ref, action: 'CUSTOM' as const, provider: provider.name, dryRun, rules: [{}], digest };
    return { rules, authorizer: { provider, service: host } };
  });

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
    authorization: fc.array(asking, { minLength: 1, maxLength: 2 }),
  })
  .map(({ uid, mode, ports, protocol, address, tier, zone, sidecar, dnsCapture, onDemand, authorization }) =>
    workload(uid, {
      namespace: uid === 'w2' ? 'bank' : 'shop',
      labels: { app: uid, tier },
      addresses: [address],
      inbound: [{ port: 8080, protocol }],
      mtls: { mode, ports, policies: [] },
      locality: { region: 'r', zone, subzone: '' },
      dnsCapture,
      onDemand,
      authorization,
      ...(sidecar === undefined ? {} : { sidecar }),
    }),
  );

/** Edits of everything that a snapshot has. */
export const worldEdits: fc.Arbitrary<Edit> = fc.oneof(
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

export function applyEdits(mesh: MeshSnapshot, list: readonly Edit[]): MeshSnapshot {
  return list.reduce((state, edit) => edit(state), mesh);
}

/** Snapshots of some such edits. */
export const snapshots = fc.array(worldEdits, { maxLength: 16 }).map((list) => applyEdits(snapshotOf({}), list));
/** Edits that come at once. */
export const batches = fc.array(worldEdits, { minLength: 1, maxLength: 3 });
