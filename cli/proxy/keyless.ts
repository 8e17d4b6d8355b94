/** Fields of Envoy's messages that hold what nobody may read. */
const CONFIDENTIAL = new Set([
  ...['private_key', 'private_key_provider', 'pkcs12', 'password', 'auth_password', 'session_ticket_keys'],
  ...['generic_secret', 'token_secret', 'hmac_secret', 'credential', 'secret'],
]);

/** A copy of part of a configuration in which such fields say `[redacted]`. Envoy redacts most by itself; this relies on nothing. */
export function withoutKeys(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(withoutKeys);
  if (typeof value === 'string') return value.replaceAll(PRIVATE_KEY, '[redacted]');
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(
    Object.entries(value).map(([name, one]) => [name, CONFIDENTIAL.has(name) ? '[redacted]' : withoutKeys(one)]),
  );
}

const PRIVATE_KEY = /-----BEGIN [A-Z ]*PRIVATE KEY-----[^-]*-----END [A-Z ]*PRIVATE KEY-----/g;
