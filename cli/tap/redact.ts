/** Parts of names, of headers and of parameters in a query, of what lets one act as another. */
const SECRET_WORDS =
  /(^|[-_.])(passwd|pwd|apikey|key|signature|sig|session|sid|jwt|assertion|credentials?|code|auth)$|api[-_]?key|session[-_]?id|token|secret|password|cookie|authorization|authenticate/i;
/** What looks like a JSON Web Token, wherever it stands. */
const JWT = /eyJ[\w-]{5,}\.[\w-]+\.[\w-]*/g;

const REDACTED = '[redacted]';

/** The value of a header as it may be shown. */
export function redactHeader(name: string, value: string): string {
  const lower = name.toLowerCase();
  if (lower.startsWith(':') || lower === 'x-request-id') return lower === ':path' ? redactPath(value) : value;
  // Many hold a path or a URL: referer, location, x-original-uri.
  return isSecret(lower) ? REDACTED : redactPath(value);
}

/** The value of a parameter of a query as it may be shown. */
export function redactParameter(name: string, value: string): string {
  return isSecret(decoded(name)) ? REDACTED : redactPath(value);
}

/** Whether the value of a header or parameter of this name is kept back. */
export function isSecret(name: string): boolean {
  return SECRET_WORDS.test(name);
}

/** A line of a log as it may be shown: of its words, those that hold a URL, a query or a token, as of a path. */
export function redactLine(text: string): string {
  return text.replaceAll(/[^\s"']+/g, (word) => (/[?]|:\/\/|eyJ/.test(word) ? redactPath(word) : word));
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
    return value.length > 0 && isSecret(decoded(name)) ? `${name}=${REDACTED}` : part;
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
