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
  /** How many requests with this one's key (`key`, `x-key`) this pod has seen, this one among them. */
  readonly attempt?: number;
  /** Only of what came over TLS. */
  readonly tls?: TlsSeen;
  /** Only of `/call`: what the called URL answered. */
  readonly upstream?: Upstream;
}

/** What a server sees of the TLS around a request. */
export interface TlsSeen {
  /** Empty when the caller names no server. */
  readonly sni: string;
  readonly alpn: string;
  /** Only when the caller shows a certificate. `san` is in OpenSSL's notation: `DNS:a, URI:b`. */
  readonly client?: {
    readonly subject: string;
    readonly san: string;
    readonly issuer: string;
    readonly verified: boolean;
  };
}

/** What came of a call that a server made. */
export interface Upstream {
  readonly url: string;
  readonly status?: number;
  readonly error?: string;
  readonly ms: number;
  /** When a testbed server answered. */
  readonly echo?: Echo;
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

/** Reads the echo in an answer's body; undefined when a testbed server did not write it, as with a proxy's own answer. */
export function echoOf(body: string): Echo | undefined {
  if (!body.startsWith('{"pod":')) return undefined;
  try {
    return JSON.parse(body) as Echo;
  } catch {
    return undefined;
  }
}
