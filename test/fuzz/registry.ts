import type { Target } from './target.ts';

/** Where each target is; a module is loaded when its branches are to be counted. */
const TARGETS: Readonly<Record<string, () => Promise<{ readonly target: Target }>>> = {
  token: () => import('./targets/token.ts'),
  claims: () => import('./targets/claims.ts'),
  'node-id': () => import('./targets/node-id.ts'),
  'delta-request': () => import('./targets/delta-request.ts'),
  'delta-stream': () => import('./targets/delta-stream.ts'),
  'metrics-node': () => import('./targets/metrics-node.ts'),
  metrics: () => import('./targets/metrics.ts'),
  report: () => import('./targets/report.ts'),
  'rate-limit': () => import('./targets/rate-limit.ts'),
  count: () => import('./targets/count.ts'),
  review: () => import('./targets/review.ts'),
  inject: () => import('./targets/inject.ts'),
  validate: () => import('./targets/validate.ts'),
  'jwk-set': () => import('./targets/jwk-set.ts'),
  'provider-answer': () => import('./targets/provider-answer.ts'),
  prometheus: () => import('./targets/prometheus.ts'),
  discovery: () => import('./targets/discovery.ts'),
  dashboard: () => import('./targets/dashboard.ts'),
};

/** Names of all targets. */
export const TARGET_NAMES: readonly string[] = Object.keys(TARGETS);

/** @throws {Error} for a name that is none */
export async function loadTarget(name: string): Promise<Target> {
  const load = TARGETS[name];
  if (load === undefined) throw new Error(`no target ${name}; there are ${TARGET_NAMES.join(', ')}`);
  return (await load()).target;
}
