import { redactHeader } from '../tap/redact.ts';

/** Fields of Envoy's messages that hold what nobody may read. */
const CONFIDENTIAL = new Set([
  ...['private_key', 'private_key_provider', 'pkcs12', 'password', 'auth_password', 'session_ticket_keys'],
  ...['generic_secret', 'token_secret', 'hmac_secret', 'credential', 'secret'],
]);

/** A copy of part of a configuration in which such fields say `[redacted]`. Envoy redacts most by itself; this relies on nothing. */
export function withoutKeys(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(withoutKeys);
  if (typeof value === 'string')
    return value.replaceAll(PRIVATE_KEY, '[redacted]').replaceAll(SECRET_JWK, '$1"[redacted]"');
  if (typeof value !== 'object' || value === null) return value;
  const { key, value: text } = value as { key?: unknown; value?: unknown };
  // A header that a route or a client of Envoy adds.
  if (typeof key === 'string' && typeof text === 'string') return { ...value, value: redactHeader(key, text) };
  return Object.fromEntries(
    Object.entries(value).map(([name, one]) => [name, CONFIDENTIAL.has(name) ? '[redacted]' : withoutKeys(one)]),
  );
}

const PRIVATE_KEY = /-----BEGIN [A-Z ]*PRIVATE KEY-----[\s\S]*?-----END [A-Z ]*PRIVATE KEY-----/g;
/** Of HMAC, which signs and verifies alike: it stands among the inline keys of a RequestAuthentication. */
const SECRET_JWK = /("k"\s*:\s*)"[^"]*"/g;
