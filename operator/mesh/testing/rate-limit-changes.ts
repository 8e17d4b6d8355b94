import fc from 'fast-check';
import type { MeshChange } from '../mesh-object.ts';
import { rateLimitPolicy } from './objects.ts';
import { maybe } from './optional.ts';

const index = fc.nat({ max: 3 });
const namespaces = fc.constantFrom('shop', 'other', 'heddle-system');

const rateLimitSpec = fc.record({
  selector: maybe(fc.constantFrom<Record<string, string>[]>({}, { app: 'a' }, { tier: 'x' })),
  target: maybe(fc.constantFrom('s0', 's1', 's9')),
  scope: fc.constantFrom('Local' as const, 'Global' as const),
  requests: fc.constantFrom(1, 100),
  isBroken: fc.boolean(),
  dryRun: fc.boolean(),
});

/** RateLimitPolicies that come, change and go. */
export const rateLimitChanges = fc
  .tuple(namespaces, index, maybe(rateLimitSpec))
  .map(([namespace, i, options]): MeshChange => {
    const key = `${namespace}/rl${i}`;
    if (options === undefined) return { kind: 'RateLimitPolicy', key, object: undefined };
    const { selector, target, scope, requests, isBroken, dryRun } = options;
    const object = rateLimitPolicy(key, {
      ...(target === undefined
        ? selector && { selector: { matchLabels: selector } }
        : { targetRefs: [{ kind: 'Service', name: target }] }),
      limits: [{ scope, requests, unit: 'Second' }, ...(isBroken ? [{ requests: 0, unit: 'Hour' as const }] : [])],
      dryRun,
    });
    return { kind: 'RateLimitPolicy', key, object };
  });
