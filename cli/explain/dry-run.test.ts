import { expect, test } from '@jest/globals';
import type { AuthorizationPolicySpec } from '../../api/authorization-policy.ts';
import type { MeshObject } from '../../operator/mesh/mesh-object.ts';
import { authorizationPolicy } from '../../operator/mesh/testing/objects.ts';
import { ask, shop } from './testing/shop.ts';
import { formatReport } from './words.ts';

const policy = (name: string, spec: AuthorizationPolicySpec, dryRun = false): MeshObject => ({
  kind: 'AuthorizationPolicy',
  object: authorizationPolicy(`shop/${name}`, spec, dryRun ? { 'istio.io/dry-run': 'true' } : {}),
});
const GET = { rules: [{ to: [{ operation: { methods: ['GET'] } }] }] };
const POST = { rules: [{ to: [{ operation: { methods: ['POST'] } }] }] };
const tried = policy('tried', POST, true);

test.each([
  ['would deny what it does not match', [tried], 'tried (ALLOW) would deny it, as none of its rules matches: rule 0: '],
  ['would deny nothing that another ALLOW policy matches', [tried, policy('real', GET)], undefined],
  [
    'would allow what it matches',
    [policy('tried', GET, true)],
    'rule 0 of AuthorizationPolicy shop/tried (ALLOW) matches',
  ],
])('an ALLOW policy in dry run %s', (_what, policies, told) => {
  const explanation = ask(shop(policies));
  const from = { pod: 'shop/ui-1' };
  const to = { text: '', host: 'ordering', port: 80 };
  const text = formatReport({ from, to, explanation, live: [], notes: [] });
  expect(explanation.verdict).toBe('passes');
  const line = text.split('\n').find((one) => one.includes('dry run:'));
  expect(line).toEqual(told === undefined ? undefined : expect.stringContaining(told));
});
