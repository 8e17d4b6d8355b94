import fc from 'fast-check';
import { extensionProviders } from '../../../api/extension-provider.ts';
import type { MeshChange } from '../mesh-object.ts';
import { authorizationPolicy } from './objects.ts';
import { maybe } from './optional.ts';

const index = fc.nat({ max: 3 });
const namespaces = fc.constantFrom('shop', 'other', 'heddle-system');

const seldom = fc.nat({ max: 3 }).map((drawn) => drawn === 0);

const authorizationSpec = fc.record({
  selector: maybe(fc.constantFrom<Record<string, string>[]>({}, { app: 'a' }, { tier: 'x' })),
  target: maybe(fc.constantFrom('s0', 's1', 's9')),
  action: fc.constantFrom('ALLOW' as const, 'DENY' as const, 'AUDIT' as const, 'CUSTOM' as const),
  caller: maybe(fc.constantFrom('a', 'b')),
  isBroken: seldom,
  dryRun: seldom,
  provider: fc.constantFrom('service', 'entry', 'own', 'nobody'),
});

/** Whom some of them ask: hosts that come and go. */
export const PROVIDERS = extensionProviders.parse([
  { name: 'service', envoyExtAuthzHttp: { service: 's0.shop.svc.cluster.local', port: 80 } },
  { name: 'entry', envoyExtAuthzGrpc: { service: 'h5703.example.com', port: 80 } },
  { name: 'own', envoyExtAuthzGrpc: { service: 'shop/h5703.example.com', port: 80 } },
]);

/** AuthorizationPolicies that come, change and go. */
export const authorizationChanges = fc
  .tuple(namespaces, index, maybe(authorizationSpec))
  .map(([namespace, i, options]): MeshChange => {
    const key = `${namespace}/ap${i}`;
    if (options === undefined) return { kind: 'AuthorizationPolicy', key, object: undefined };
    const { selector, target, action, caller, isBroken, dryRun, provider } = options;
    const object = authorizationPolicy(
      key,
      {
        ...(target === undefined
          ? selector && { selector: { matchLabels: selector } }
          : { targetRefs: [{ kind: 'Service', name: target }] }),
        action,
        ...(action === 'CUSTOM' && { provider: { name: provider } }),
        rules: [
          { ...(caller && action !== 'CUSTOM' && { from: [{ source: { serviceAccounts: [caller] } }] }) },
          ...(isBroken ? [{ from: [] }] : []),
        ],
      },
      dryRun ? { 'istio.io/dry-run': 'true' } : {},
    );
    return { kind: 'AuthorizationPolicy', key, object };
  });
