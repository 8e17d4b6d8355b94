import { expect, test } from '@jest/globals';
import type { AuthorizationPolicy } from '../../api/authorization-policy.ts';
import { judgeAuthorizationPolicy } from '../../api/authorization-policy-judgement.ts';
import { pod, SETTINGS, service } from '../../operator/mesh/testing/objects.ts';
import { Draw } from '../../operator/xds/testing/draw.ts';
import { MeshCache } from '../../operator/xds/testing/mesh-cache.ts';
import { useEnvoyJudge } from './support/envoy-judge.ts';
import { oddPolicySpec } from './support/odd-authorization.ts';
import { oddProvider } from './support/odd-providers.ts';

/** Specs that are drawn for one workload: many, for it is starting Envoy that takes time. */
const SPECS = 200;
const PROVIDERS = 60;
/** By hand: `ODD_AUTHORIZATION_WORKLOADS=20 ODD_AUTHORIZATION_SEED=7`. */
const { ODD_AUTHORIZATION_WORKLOADS = '1', ODD_AUTHORIZATION_SEED = String(Date.now() % 1_000_000_007) } = process.env;
const WORKLOADS = Number(ODD_AUTHORIZATION_WORKLOADS);
const SEED = Number(ODD_AUTHORIZATION_SEED);

const objections = useEnvoyJudge();
const ports = [
  { name: 'http', port: 80, targetPort: 8080 },
  { name: 'any', port: 81, targetPort: 8081 },
  { name: 'tcp', port: 82, targetPort: 8082 },
];

function policyOf(spec: unknown, index: number, annotations: Record<string, string>): AuthorizationPolicy {
  return {
    apiVersion: 'security.istio.io/v1',
    kind: 'AuthorizationPolicy',
    metadata: { name: `p${index}`, namespace: 'shop', generation: 1, annotations },
    // What the API server lets through may be of any shape.
    spec: spec as NonNullable<AuthorizationPolicy['spec']>,
  };
}

test(`Envoy takes every policy that is accepted, whatever characters it has (ODD_AUTHORIZATION_SEED=${SEED})`, async () => {
  let accepted = 0;
  for (let workload = 0; workload < WORKLOADS; workload++) {
    const draw = new Draw(SEED + workload);
    const specs = draw.list(SPECS, SPECS, () => oddPolicySpec(draw));
    const taken = specs.filter((spec) => judgeAuthorizationPolicy(spec).spec !== undefined);
    accepted += taken.length;
    const mesh = new MeshCache(SETTINGS);
    const own = pod('app', { uid: 'app', labels: { app: 'app' } });
    mesh.put({ kind: 'Pod', object: own }, { kind: 'Service', object: service('app', { app: 'app' }, { ports }) });
    // In force or not, they are all there.
    const policies = specs.map((spec, index) =>
      policyOf(spec, index, draw.once(5) ? { 'istio.io/dry-run': 'true' } : {}),
    );
    mesh.put(...policies.map((object) => ({ kind: 'AuthorizationPolicy' as const, object })));
    const proxy = { uid: 'app', podName: 'app', namespace: 'shop', serviceAccount: 'default' };
    expect(await objections(mesh.cache, proxy)).toBe('');
  }
  expect(accepted / (SPECS * WORKLOADS)).toBeGreaterThan(0.3);
}, 1_800_000);

test(`Envoy takes every provider that the settings may have (ODD_AUTHORIZATION_SEED=${SEED})`, async () => {
  const draw = new Draw(SEED);
  const byName = new Map(
    draw
      .list(PROVIDERS, PROVIDERS, () => oddProvider(draw, 'app.shop.svc.cluster.local', 80))
      .map((one) => [one.name, one]),
  );
  const mesh = new MeshCache({ ...SETTINGS, extensionProviders: [...byName.values()] });
  mesh.put(
    { kind: 'Pod', object: pod('app', { uid: 'app', labels: { app: 'app' } }) },
    { kind: 'Service', object: service('app', { app: 'app' }, { ports }) },
    ...[...byName.keys()].map((name, index) => {
      const object = policyOf({ action: 'CUSTOM', provider: { name }, rules: [{}] }, index, {});
      return { kind: 'AuthorizationPolicy' as const, object };
    }),
  );
  const attached = mesh.snapshot.workloads.get('app')?.authorization ?? [];
  expect(attached.filter(({ authorizer }) => authorizer !== undefined)).toHaveLength(byName.size);
  const proxy = { uid: 'app', podName: 'app', namespace: 'shop', serviceAccount: 'default' };
  expect(await objections(mesh.cache, proxy)).toBe('');
}, 60_000);
