import { createPrivateKey, X509Certificate } from 'node:crypto';
import type { KubeObject } from '../kube/object.ts';
import type { ServingCertificate } from './server.ts';

/** A Secret of type kubernetes.io/tls. */
export interface TlsSecret extends KubeObject {
  data?: Record<string, string>;
}

export interface ReadCertificate extends ServingCertificate {
  readonly notAfter: Date;
}

/**
 * Reads the serving certificate out of its Secret.
 * @throws {Error} naming the key of the Secret that is missing or wrong; never with key material in the message
 */
export function readServingCertificate(secret: TlsSecret): ReadCertificate {
  const cert = decode(secret, 'tls.crt');
  const key = decode(secret, 'tls.key');
  const parsed = parse('tls.crt', () => new X509Certificate(cert));
  const fits = parsed.checkPrivateKey(parse('tls.key', () => createPrivateKey(key)));
  if (!fits) throw new Error('tls.key does not belong to the certificate in tls.crt');
  return { cert, key, notAfter: new Date(parsed.validTo) };
}

function decode({ data }: TlsSecret, name: string): string {
  const value = data?.[name];
  if (!value) throw new Error(`${name} is missing`);
  return Buffer.from(value, 'base64').toString('utf8');
}

function parse<T>(name: string, read: () => T): T {
  try {
    return read();
  } catch {
    throw new Error(`${name} is no PEM that can be read`);
  }
}
