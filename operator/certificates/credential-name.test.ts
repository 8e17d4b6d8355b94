import { describe, expect, test } from '@jest/globals';
import { credentialSecrets } from '../xds/server-tls.ts';
import { credentialOf, parseCredentialName } from './credential-name.ts';

describe('names of credentials', () => {
  test.each([
    ['kubernetes://db', 'kubernetes://db', 'certificate', 'Secret', ['db']],
    ['kubernetes://db-cacert', 'kubernetes://db', 'roots', 'Secret', ['db-cacert', 'db']],
    ['kubernetes://db.example.com', 'kubernetes://db.example.com', 'certificate', 'Secret', ['db.example.com']],
    ['configmap://db', 'configmap://db', 'certificate', 'ConfigMap', ['db']],
    ['configmap://db-cacert', 'configmap://db', 'roots', 'ConfigMap', ['db']],
  ])('%s', (secret, credential, part, kind, objects) => {
    expect(parseCredentialName(secret)).toEqual({ secret, credential, part, kind, objects });
  });

  test.each(
    ['db', 'default', 'kubernetes://', 'kubernetes://-cacert', 'kubernetes://other/db', 'kubernetes://../db'].concat([
      'kubernetes://DB',
      'kubernetes://a://b',
      'kubernetes-gateway://db',
      'constructor://db',
      `kubernetes://${'a'.repeat(254)}`,
      'configmap://db?watch=1',
    ]),
  )('%s is none', (secret) => {
    expect(parseCredentialName(secret)).toBeUndefined();
  });

  test('a name that leaves no room for the companion has none', () => {
    const name = 'a'.repeat(250);
    expect(parseCredentialName(`kubernetes://${name}-cacert`)?.objects).toEqual([name]);
  });

  test.each(['db', 'kubernetes://db', 'configmap://db'])('%s is understood as clusters name it', (credentialName) => {
    const { certificate, roots } = credentialSecrets(credentialName);
    for (const secret of [certificate, roots]) {
      expect(parseCredentialName(secret)?.credential).toBe(credentialOf(credentialName));
    }
  });
});
