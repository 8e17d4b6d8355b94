import { expect, test } from '@jest/globals';
import { connectionProblem } from './tls-trust.ts';

test.each([
  ['SELF_SIGNED_CERT_IN_CHAIN', 'jwks', 'jwks.extraRootCA of the mesh can add one (SELF_SIGNED_CERT_IN_CHAIN)'],
  ['SELF_SIGNED_CERT_IN_CHAIN', 'metrics', 'metrics.extraRootCA of the mesh can add one (SELF_SIGNED_CERT_IN_CHAIN)'],
  ['CERT_HAS_EXPIRED', 'metrics', 'its certificate has expired (CERT_HAS_EXPIRED)'],
  ['ECONNREFUSED', 'jwks', 'no connection: ECONNREFUSED'],
] as const)('%s in the calls of %s is told with the setting that can help', (code, settings, told) => {
  expect(connectionProblem(code, settings)).toContain(told);
});
