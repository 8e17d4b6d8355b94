import { hostname } from 'node:os';

/** What a server of the testbed says of a request, so that a test sees what arrived and where. */
export interface Echo {
  readonly pod: string;
  readonly version: string;
  /** `1.1`, `2`, `grpc`, `websocket` or `tcp`. */
  readonly protocol: string;
  readonly method: string;
  readonly path: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly bodyBytes: number;
  readonly remoteAddress: string;
}

/** Name of the release, from the environment. */
export const VERSION = process.env.VERSION ?? 'v1';

/** Fills in what is the same for all protocols. */
export function echo(seen: Omit<Echo, 'pod' | 'version'>): Echo {
  return { pod: hostname(), version: VERSION, ...seen };
}

/** Headers as one text each; pseudo-headers of HTTP/2 included. */
export function flatHeaders(
  headers: Readonly<Record<string, string | string[] | number | undefined>>,
): Record<string, string> {
  const flat: Record<string, string> = {};
  for (const [name, value] of Object.entries(headers)) {
    if (value !== undefined) flat[name] = Array.isArray(value) ? value.join(', ') : String(value);
  }
  return flat;
}

/**
 * What a caller wants of the answer, from the query: `status`, `delay` (ms, up to a minute) and `bytes` (of padding).
 */
export function wishes(path: string): { status: number; delayMs: number; bytes: number } {
  const query = new URL(path, 'http://testbed').searchParams;
  const number = (name: string, fallback: number, max: number): number =>
    Math.min(Math.max(Number(query.get(name) ?? fallback) || fallback, 0), max);
  return {
    status: number('status', 200, 599),
    delayMs: number('delay', 0, 60_000),
    bytes: number('bytes', 0, 50_000_000),
  };
}
