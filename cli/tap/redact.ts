/** Headers that hold what lets one act as another. */
const SECRET_HEADERS = new Set([
  ...['authorization', 'proxy-authorization', 'cookie', 'set-cookie', 'x-api-key', 'api-key', 'x-auth-token'],
  ...['x-csrf-token', 'x-xsrf-token', 'x-amz-security-token', 'x-goog-iam-authorization-token', 'x-access-token'],
  ...['x-jwt-assertion', 'x-forwarded-access-token', 'x-id-token', 'www-authenticate', 'sec-websocket-key'],
]);
/** Parts of names, of headers and of parameters in a query, that say the same. */
const SECRET_WORDS =
  /(^|[-_.])(token|secret|password|passwd|pwd|apikey|key|signature|sig|session|sessionid|sid|jwt|assertion|credential|credentials|code|auth)$|api[-_]?key|access[-_]?token|secret|password/i;
/** What looks like a JSON Web Token, wherever it stands. */
const JWT = /eyJ[\w-]{5,}\.[\w-]+\.[\w-]*/g;

const REDACTED = '[redacted]';

/** The value of a header as it may be shown. */
export function redactHeader(name: string, value: string): string {
  const lower = name.toLowerCase();
  if (lower.startsWith(':') || lower === 'x-request-id') return lower === ':path' ? redactPath(value) : value;
  if (SECRET_HEADERS.has(lower) || SECRET_WORDS.test(lower)) return REDACTED;
  if (lower === 'referer' || lower === 'location' || lower === 'x-envoy-original-path') return redactPath(value);
  return value.replaceAll(JWT, REDACTED);
}

/** A path, or a URL, as it may be shown: values of parameters that are secrets, users and passwords are left out. */
export function redactPath(path: string): string {
  const [before = '', ...rest] = path
    .replace(/\/\/[^/?#@]*@/, `//${REDACTED}@`)
    .replaceAll(JWT, REDACTED)
    .split('?');
  if (rest.length === 0) return before;
  const [query = '', ...fragment] = rest.join('?').split('#');
  const shown = query.split('&').map((part) => {
    const [name = '', ...value] = part.split('=');
    return value.length > 0 && SECRET_WORDS.test(decoded(name)) ? `${name}=${REDACTED}` : part;
  });
  return `${before}?${shown.join('&')}${fragment.length > 0 ? `#${REDACTED}` : ''}`;
}

function decoded(name: string): string {
  try {
    return decodeURIComponent(name);
  } catch {
    return name;
  }
}
