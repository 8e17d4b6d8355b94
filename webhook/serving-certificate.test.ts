import { describe, expect, test } from '@jest/globals';
import { readServingCertificate } from './serving-certificate.ts';
import { makeCertificate, makeStrayKey } from './testing/certificate.ts';

const encode = (text: string) => Buffer.from(text).toString('base64');

describe('readServingCertificate', () => {
  const { cert, key } = makeCertificate('webhook');

  test('reads certificate, key and the end of validity', () => {
    const read = readServingCertificate({ data: { 'tls.crt': encode(cert), 'tls.key': encode(key) } });
    expect(read).toMatchObject({ cert, key });
    expect(read.notAfter.getTime()).toBeGreaterThan(Date.now());
  });

  test.each<[string, Record<string, string> | undefined, string]>([
    ['an empty Secret', undefined, 'tls.crt is missing'],
    ['a half-written Secret', { 'tls.crt': encode(cert) }, 'tls.key is missing'],
    ['a certificate that is none', { 'tls.crt': encode('x'), 'tls.key': encode(key) }, 'tls.crt is no PEM'],
    ['a key that is none', { 'tls.crt': encode(cert), 'tls.key': encode('x') }, 'tls.key is no PEM'],
    // OpenSSL takes a key of another type without a word, and then fails every handshake.
    ['a key of another certificate', { 'tls.crt': encode(cert), 'tls.key': encode(makeStrayKey()) }, 'does not belong'],
  ])('refuses %s and shows no key', (_, data, message) => {
    expect(() => readServingCertificate(data ? { data } : {})).toThrow(message);
  });
});
