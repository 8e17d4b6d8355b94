import { z } from 'zod';
import { type Findings, isDnsLabel } from './field-check.ts';

/** A protobuf uint32, as Istio's CRDs take it. */
export const uint32 = z.int().min(0).max(4_294_967_295);

/** Protocols whose requests carry the host they are for, in a header or in the TLS handshake. */
const BY_HOST = new Set(['http', 'http2', 'http_proxy', 'grpc', 'grpc-web', 'https', 'tls']);
/** The others that Istio knows. All are read case-insensitively. */
const OTHERS = new Set(['tcp', 'mongo', 'redis', 'mysql', 'udp', 'hbone']);

/** Whether requests of a protocol tell which host they are for. */
export function namesHost(protocol = ''): boolean {
  return BY_HOST.has(protocol.toLowerCase());
}

/** Reports a name of a port that is no DNS label. */
export function checkPortName(found: Findings, field: string, name: string): void {
  if (isDnsLabel(name)) return;
  found.error(field, `must be a name of at most 63 letters, digits and "-", and is "${name}"`);
}

/** Reports a protocol that Istio does not know. None at all is well: then the first bytes tell. */
export function checkProtocol(found: Findings, field: string, protocol = ''): void {
  const name = protocol.toLowerCase();
  if (name === '' || BY_HOST.has(name) || OTHERS.has(name)) return;
  found.error(
    field,
    `must be one of HTTP, HTTPS, HTTP2, GRPC, GRPC-WEB, TLS, TCP, MONGO, MYSQL and REDIS, and is "${protocol}"`,
  );
}
