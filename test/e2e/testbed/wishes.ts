/** What a caller wants of the answer to its request. */
export interface Wishes {
  /** HTTP status; of a gRPC call, the gRPC status. Undefined: the usual one. */
  readonly status: number | undefined;
  readonly delayMs: number;
  /** Bytes of padding in the answer. */
  readonly bytes: number;
  /** Under which name the request is counted. */
  readonly key: string;
  /** How many requests with this key fail before one succeeds. */
  readonly failures: number;
  readonly failStatus: number | undefined;
  /** The connection (of HTTP/2: the stream) is reset instead of an answer. */
  readonly reset: boolean;
}

const MAX_DELAY_MS = 60_000;
const MAX_BYTES = 50_000_000;

/**
 * Reads wishes from the query (`status`, `delay` in ms, `bytes`, `key`, `fail`, `failStatus`, `reset=1`), and where it says
 * nothing from the headers `x-status`, `x-delay`, `x-bytes`, `x-key`, `x-fail`, `x-fail-status` and `x-reset`.
 */
export function readWishes(path: string, headers: Readonly<Record<string, unknown>>): Wishes {
  const query = queryOf(path);
  const text = (name: string, header: string): string | undefined => {
    const sent = headers[header];
    return query.get(name) ?? (typeof sent === 'string' ? sent : undefined);
  };
  const number = (name: string, header: string, max: number): number | undefined => {
    const value = Number(text(name, header) ?? Number.NaN);
    return Number.isNaN(value) ? undefined : Math.min(Math.max(value, 0), max);
  };
  return {
    status: number('status', 'x-status', 599),
    delayMs: number('delay', 'x-delay', MAX_DELAY_MS) ?? 0,
    bytes: number('bytes', 'x-bytes', MAX_BYTES) ?? 0,
    key: text('key', 'x-key') ?? '',
    failures: number('fail', 'x-fail', 1_000_000) ?? 0,
    failStatus: number('failStatus', 'x-fail-status', 599),
    reset: text('reset', 'x-reset') === '1',
  };
}

/** The query of a path. A path that is no part of a URL has none. */
export function queryOf(path: string): URLSearchParams {
  const at = path.indexOf('?');
  return new URLSearchParams(at < 0 ? '' : path.slice(at + 1));
}
