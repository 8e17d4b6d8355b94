import { describe, expect, test } from '@jest/globals';
import type { ExtensionProvider } from '../../api/extension-provider.ts';
import { RBAC_Action } from '../../generated/envoy/envoy/config/rbac/v3/rbac_pb.js';
import type { AttachedPolicy, AuthorizationRules } from '../mesh/authorization.ts';
import type { ServiceKey } from '../mesh/snapshot.ts';
import { buildQuestions } from './external-authorization.ts';
import { actionOf, buildAuthorization } from './rbac.ts';

const settings = { service: 'opa.auth.svc.cluster.local', port: 9191 };
const http = { name: 'opa', envoyExtAuthzHttp: settings } as unknown as ExtensionProvider;
const grpc = { name: 'opa', envoyExtAuthzGrpc: settings } as unknown as ExtensionProvider;

function policy(
  action: AuthorizationRules['action'],
  more: Partial<Omit<AttachedPolicy, 'rules'>> & { dryRun?: boolean; provider?: ExtensionProvider } = {},
): AttachedPolicy {
  const { dryRun = false, provider, ...attached } = more;
  const ref = { kind: 'AuthorizationPolicy', namespace: 'shop', name: action.toLowerCase() } as const;
  const rules = { ref, action, dryRun, rules: [{}], digest: '' };
  const authorizer = provider && { provider, service: 'auth/opa' as ServiceKey };
  return { rules, ...attached, ...(authorizer && { authorizer }) };
}

describe('what becomes of requests that CUSTOM matches', () => {
  test.each<[string, ReturnType<typeof actionOf>, AttachedPolicy, number | undefined, 'http' | 'tcp']>([
    ['asks by HTTP about requests', 'CUSTOM', policy('CUSTOM', { provider: http }), 80, 'http'],
    ['denies connections, about which HTTP can not ask', 'DENY', policy('CUSTOM', { provider: http }), 80, 'tcp'],
    ['asks by gRPC about connections', 'CUSTOM', policy('CUSTOM', { provider: grpc }), 80, 'tcp'],
    ['denies where there is nobody to ask', 'DENY', policy('CUSTOM'), 80, 'http'],
    [
      'denies where the question would be asked about itself',
      'DENY',
      policy('CUSTOM', { provider: http, asksItselfAt: [80] }),
      80,
      'http',
    ],
    [
      'asks at the other ports of that pod',
      'CUSTOM',
      policy('CUSTOM', { provider: http, asksItselfAt: [80] }),
      81,
      'http',
    ],
    [
      'asks at ports that nobody declared',
      'CUSTOM',
      policy('CUSTOM', { provider: http, asksItselfAt: [80] }),
      undefined,
      'http',
    ],
  ])('%s', (_, action, one, port, carrier) => {
    expect(actionOf(one, port, carrier)).toBe(action);
    const asked = buildQuestions([one], port, carrier).length > 0;
    const denies = buildAuthorization([one], port, carrier).map(({ rules }) => rules.action);
    expect([asked, denies]).toEqual(action === 'CUSTOM' ? [true, []] : [false, [RBAC_Action.DENY]]);
  });

  test('is nothing in dry run', () => {
    const one = policy('CUSTOM', { provider: http, dryRun: true });
    expect([buildQuestions([one], 80, 'http'), buildAuthorization([one], 80, 'http')]).toEqual([[], []]);
  });
});

test('who denies is asked before who allows, and dry runs decide nothing', () => {
  const all = (['ALLOW', 'DENY', 'AUDIT'] as const).flatMap((action) => [
    policy(action),
    policy(action, { dryRun: true }),
  ]);
  const built = buildAuthorization(all, 80, 'http');
  expect(built.filter(({ dryRun }) => dryRun === undefined).map(({ rules }) => rules.action)).toEqual([
    RBAC_Action.LOG,
    RBAC_Action.DENY,
    RBAC_Action.ALLOW,
  ]);
  // Of AUDIT, which decides nothing, nothing is counted.
  expect(built.filter(({ dryRun }) => dryRun !== undefined)).toHaveLength(2);
});

test('a policy about ports says nothing of others, nor of those that nobody declared', () => {
  const one = policy('DENY', { ports: [80] });
  const denies = [80, 81, undefined].map((port) => buildAuthorization([one], port, 'tcp').length);
  expect(denies).toEqual([1, 0, 0]);
});
