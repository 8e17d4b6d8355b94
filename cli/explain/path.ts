import type { PathNormalization } from '../../api/mesh-config.ts';

/** What stands for itself in a URI, so that an escape of it is undone (RFC 3986, 2.3). */
const UNRESERVED = /[-._~0-9A-Za-z]/;
/** What Envoy escapes where a client did not. */
const UNSAFE = /["<>`{}|^]/g;

/**
 * A path, with its query, as Envoy has it once it is normalised (`normalize_path` and what the mesh's `pathNormalization` says besides): routes and
 * policies see it so.
 */
export function normalizePath(path: string, level: PathNormalization = 'BASE'): string {
  const end = path.search(/[?#]/);
  const [own, query] = end < 0 ? [path, ''] : [path.slice(0, end), path.slice(end)];
  if (!own.startsWith('/')) return path;
  const decodes = level === 'DECODE_AND_MERGE_SLASHES';
  const slashes = decodes ? own.replaceAll(/%2f/gi, '/').replaceAll(/%5c/gi, '\\') : own;
  const plain = undotted(unescaped(slashes.replaceAll(/\/(\.\.?);[^/]*/g, '/$1')).replaceAll('\\', '/'));
  const merged = decodes || level === 'MERGE_SLASHES' ? plain.replaceAll(/\/{2,}/g, '/') : plain;
  return merged + query;
}

/** Escapes of what needs none are undone, once; a stray `%` that would begin an escape only then is escaped itself. */
function unescaped(path: string): string {
  let text = '';
  /** Where the last `%` stands that began no escape. */
  let stray = -3;
  for (let at = 0; at < path.length; ) {
    const [written, digits] = /^%([0-9a-fA-F]{2})/.exec(path.slice(at, at + 3)) ?? [];
    const character = digits === undefined ? '' : String.fromCharCode(Number.parseInt(digits, 16));
    const isUndone = UNRESERVED.test(character);
    const behind = text.slice(stray + 1);
    if (isUndone && stray >= 0 && /^[0-9a-fA-F]?$/.test(behind) && /[0-9a-fA-F]/.test(character)) {
      text = `${text.slice(0, stray + 1)}25${behind}`;
      stray = -3;
    }
    if (written === undefined && path[at] === '%') stray = text.length;
    text += isUndone ? character : (written ?? path[at]);
    at += written?.length ?? 1;
  }
  return text.replaceAll(UNSAFE, (one) => `%${one.charCodeAt(0).toString(16).toUpperCase()}`);
}

/** RFC 3986, 5.2.4. */
function undotted(path: string): string {
  const kept: string[] = [];
  const segments = path.split('/').slice(1);
  for (const [index, segment] of segments.entries()) {
    if (segment === '..') kept.pop();
    const isDots = segment === '.' || segment === '..';
    if (!isDots) kept.push(segment);
    else if (index === segments.length - 1) kept.push('');
  }
  return `/${kept.join('/')}`;
}
