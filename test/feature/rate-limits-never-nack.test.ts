import { expect, test } from '@jest/globals';
import type { RateLimitPolicySpec } from '../../api/rate-limit-policy.ts';
import { judgeRateLimitPolicy } from '../../api/rate-limit-policy-judgement.ts';
import type { MeshObject } from '../../operator/mesh/mesh-object.ts';
import { pod, rateLimitPolicy, SETTINGS, service } from '../../operator/mesh/testing/objects.ts';
import { Draw } from '../../operator/xds/testing/draw.ts';
import { MeshCache } from '../../operator/xds/testing/mesh-cache.ts';
import { useEnvoyJudge } from './support/envoy-judge.ts';
import { oddLimitSpec } from './support/odd-rate-limits.ts';

/** Specs that are drawn for one workload: many, for it is starting Envoy that takes time. */
const SPECS = 200;
/** By hand: `ODD_LIMITS_WORKLOADS=20 ODD_LIMITS_SEED=7`. */
const { ODD_LIMITS_WORKLOADS = '1', ODD_LIMITS_SEED = String(Date.now() % 1_000_000_007) } = process.env;
const WORKLOADS = Number(ODD_LIMITS_WORKLOADS);
const SEED = Number(ODD_LIMITS_SEED);

const objections = useEnvoyJudge();
const ports = [
  { name: 'http', port: 80, targetPort: 8080 },
  { name: 'any', port: 81, targetPort: 8081 },
  { name: 'tcp', port: 82, targetPort: 8082 },
];

test(`Envoy takes every policy that is accepted, whatever characters it has (ODD_LIMITS_SEED=${SEED})`, async () => {
  let accepted = 0;
  for (let workload = 0; workload < WORKLOADS; workload++) {
    const draw = new Draw(SEED + workload);
    const specs = draw.list(SPECS, SPECS, () => oddLimitSpec(draw));
    accepted += specs.filter((spec) => judgeRateLimitPolicy(spec).spec !== undefined).length;
    const mesh = new MeshCache(SETTINGS);
    const own = pod('app', { uid: 'app', labels: { app: 'app' } });
    mesh.put({ kind: 'Pod', object: own }, { kind: 'Service', object: service('app', { app: 'app' }, { ports }) });
    // What the API server lets through may be of any shape.
    const policies = specs.map((spec, index): MeshObject => {
      return { kind: 'RateLimitPolicy', object: rateLimitPolicy(`shop/p.${index}`, spec as RateLimitPolicySpec) };
    });
    mesh.put(...policies);
    const proxy = { uid: 'app', podName: 'app', namespace: 'shop', serviceAccount: 'default' };
    expect(await objections(mesh.cache, proxy)).toBe('');
  }
  // Else the draws would say little.
  expect(accepted / (SPECS * WORKLOADS)).toBeGreaterThan(0.1);
}, 1_800_000);
