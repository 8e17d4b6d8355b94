import fc from 'fast-check';
import type { MeshChange } from '../mesh-object.ts';
import { authorizationPolicy } from './objects.ts';
import { maybe } from './optional.ts';

const index = fc.nat({ max: 3 });
const namespaces = fc.constantFrom('shop', 'other', 'heddle-system');

const authorizationSpec = fc.record({
  selector: maybe(fc.constantFrom<Record<string, string>[]>({}, { app: 'a' }, { tier: 'x' })),
  target: maybe(fc.constantFrom('s0', 's1', 's9')),
  action: fc.constantFrom('ALLOW' as const, 'DENY' as const, 'AUDIT' as const),
  caller: maybe(fc.constantFrom('a', 'b')),
  isBroken: fc.boolean(),
  dryRun: fc.boolean(),
});

/** AuthorizationPolicies that come, change and go. */
export const authorizationChanges = fc
  .tuple(namespaces, index, maybe(authorizationSpec))
  .map(([namespace, i, options]): MeshChange => {
    const key = `${namespace}/ap${i}`;
    if (options === undefined) return { kind: 'AuthorizationPolicy', key, object: undefined };
    const { selector, target, action, caller, isBroken, dryRun } = options;
    const object = authorizationPolicy(
      key,
      {
        ...(target === undefined
          ? selector && { selector: { matchLabels: selector } }
          : { targetRefs: [{ kind: 'Service', name: target }] }),
        action,
        rules: [
          { ...(caller && { from: [{ source: { serviceAccounts: [caller] } }] }) },
          ...(isBroken ? [{ from: [] }] : []),
        ],
      },
      dryRun ? { 'istio.io/dry-run': 'true' } : {},
    );
    return { kind: 'AuthorizationPolicy', key, object };
  });
