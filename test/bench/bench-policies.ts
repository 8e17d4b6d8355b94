import type { AuthorizationPolicy, AuthorizationPolicySpec } from '../../api/authorization-policy.ts';
import { authorizationPolicy } from '../../operator/mesh/testing/objects.ts';

/** Who may do what the last policy allows. */
export const ALLOWED_CALLER = 'cluster.local/ns/tools/sa/reporter';
/** What only the last policy allows. */
export const LAST_ALLOWED_PATH = '/reports/2026/summary';

/**
 * Policies as a busy team has them: six of ten deny something (paths of administrators to other namespaces, addresses, debug headers), the others
 * allow a service some paths and methods, and the last one allows `ALLOWED_CALLER` its path.
 */
export function benchPolicies(count: number, matchLabels: Record<string, string>): AuthorizationPolicy[] {
  return Array.from({ length: count }, (_, index) => {
    const spec = index === count - 1 ? lastOne() : index % 10 < 6 ? denial(index) : allowance(index);
    // The number has leading zeroes, as policies are asked in the order of their names.
    return authorizationPolicy(`shop/policy-${String(index).padStart(4, '0')}`, { ...spec, selector: { matchLabels } });
  });
}

function denial(index: number): AuthorizationPolicySpec {
  const kinds: AuthorizationPolicySpec['rules'][] = [
    [
      {
        from: [{ source: { notNamespaces: ['ops', `team-${index}`] } }],
        to: [{ operation: { paths: [`/admin-${index}/*`, `/internal-${index}`] } }],
      },
    ],
    [{ from: [{ source: { notIpBlocks: ['127.0.0.0/8', `10.${index}.0.0/16`] } }] }],
    [
      {
        to: [{ operation: { methods: ['DELETE', 'PUT'], paths: [`/items-${index}/*`] } }],
        when: [{ key: 'request.headers[x-debug]', values: [`level-${index}`, 'all'] }],
      },
    ],
  ];
  return { action: 'DENY', rules: kinds[index % kinds.length] };
}

function allowance(index: number): AuthorizationPolicySpec {
  const accounts = ['web', 'mobile', 'batch'].map((name) => `cluster.local/ns/team-${index}/sa/${name}`);
  return {
    action: 'ALLOW',
    rules: [
      {
        from: [{ source: { principals: accounts } }],
        to: [
          { operation: { methods: ['GET', 'HEAD'], paths: [`/api/v1/items-${index}/*`, `/api/v2/items-${index}`] } },
        ],
        when: [{ key: 'request.headers[x-team]', values: [`team-${index}`] }],
      },
      {
        from: [{ source: { namespaces: [`team-${index}`, `team-${index}-*`] } }],
        to: [{ operation: { methods: ['POST'], paths: [`/api/v1/orders-${index}`], notPaths: ['/api/v1/orders-0'] } }],
      },
    ],
  };
}

function lastOne(): AuthorizationPolicySpec {
  return {
    action: 'ALLOW',
    rules: [
      {
        from: [{ source: { principals: [ALLOWED_CALLER] } }],
        to: [{ operation: { methods: ['GET'], paths: ['/reports/*'] } }],
        when: [{ key: 'request.headers[x-team]', values: ['tools'] }],
      },
    ],
  };
}
