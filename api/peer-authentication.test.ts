import { describe, expect, test } from '@jest/globals';
import { peerAuthenticationSpec, policyStatus } from './peer-authentication.ts';

describe('PeerAuthentication', () => {
  test.each([
    ['an empty spec', {}],
    ['a mode', { mtls: { mode: 'STRICT' } }],
    [
      'a port and a selector',
      { selector: { matchLabels: { a: 'b' } }, portLevelMtls: { '8080': { mode: 'DISABLE' } } },
    ],
  ])('takes %s', (_, spec) => {
    expect(peerAuthenticationSpec.safeParse(spec).success).toBe(true);
  });

  test.each([
    ['an unknown mode', { mtls: { mode: 'STRICTER' } }, 'mtls.mode'],
    ['ports without a selector', { portLevelMtls: { '80': { mode: 'STRICT' } } }, 'portLevelMtls requires selector'],
    [
      'a port that is none',
      { selector: { matchLabels: { a: 'b' } }, portLevelMtls: { http: { mode: 'STRICT' } } },
      'port must be between 1-65535',
    ],
  ])('refuses %s', (_, spec, message) => {
    const { error } = peerAuthenticationSpec.safeParse(spec);
    expect(error?.issues.map((issue) => `${issue.path.join('.')} ${issue.message}`).join()).toContain(message);
  });

  test('takes any status Istio writes, numbers as text and fields of later versions included', () => {
    const status = { observedGeneration: '3', conditions: [{ type: 'X', observedGeneration: 3 }], later: { a: 1 } };
    expect(policyStatus.parse(status)).toEqual(status);
  });
});
