/** Requests of one kind, as a plan describes them in JSON. */
export interface RequestSpec {
  /**
   * `http://HOST[:PORT]/PATH`; of gRPC only the origin counts; of TCP `tcp://HOST:PORT`; of TLS `https://HOST[:PORT]/PATH`;
   * of WebSocket `ws://HOST[:PORT]/PATH`.
   * In the URL, the headers and the body `{i}` becomes the number of the request, from 0, and `{i%N}` that modulo N.
   */
  readonly url: string;
  /** Comes back in the report. */
  readonly name?: string;
  /** Default `http` (1.1), or what the URL's scheme says: `tcp:`, `https:` (`tls`) and `ws:` (`websocket`). `http2` and `grpc` know beforehand. */
  readonly protocol?: 'http' | 'http2' | 'grpc' | 'tcp' | 'tls' | 'websocket';
  /** How many requests; default 1. */
  readonly count?: number;
  /** How many at once; default 1: one after the other. */
  readonly concurrency?: number;
  /** Milliseconds between the end of a request and the start of the next (of each of the concurrent ones); default 0. */
  readonly gapMs?: number;
  readonly method?: string;
  /** Of gRPC its metadata. A header `host` takes the place of the URL's host (`:authority` in HTTP/2). */
  readonly headers?: Readonly<Record<string, string>>;
  /** Of TCP what is sent, default `whoami` on a line; of WebSocket the message. */
  readonly body?: string;
  /** Of HTTP, HTTP/2 and gRPC. False: each request has a connection of its own; default true. TCP and TLS always do. */
  readonly keepAlive?: boolean;
  /** Of each request; default 10,000. */
  readonly timeoutMs?: number;
  /** True: cookies that answers set are sent with the requests after them. For requests one after the other. */
  readonly cookies?: boolean;
  /** How many answers are reported whole; default 1. */
  readonly answers?: number;
  /** True: the report has a line for each request. */
  readonly trace?: boolean;
  /** Of TCP. True: nothing is sent, the server must speak first. */
  readonly serverFirst?: boolean;
  /** Of TCP: milliseconds the connection stays open after the answer. */
  readonly holdMs?: number;
  /** Of TLS: the server's name in the handshake; default the URL's host; empty for none. */
  readonly sni?: string;
  /** Of TLS: the protocols offered, e.g. `["http/1.1"]`; default none. */
  readonly alpn?: readonly string[];
  /** Of TLS: shows a certificate of its own making with this name (DNS name, IPv4 address or URI). */
  readonly clientName?: string;
}

/** The parts of a spec in which `{i}` stands, for one request. */
export interface FilledSpec {
  readonly url: string;
  readonly headers: Record<string, string>;
  readonly body: string | undefined;
}

/** Puts the number of the request in the place of `{i}` and `{i%N}`. */
export function fillIn({ url, headers = {}, body }: RequestSpec, index: number): FilledSpec {
  const fill = (text: string): string =>
    text.replaceAll(/\{i(?:%([1-9][0-9]*))?\}/g, (_, modulus?: string) =>
      String(modulus === undefined ? index : index % Number(modulus)),
    );
  return {
    url: fill(url),
    headers: Object.fromEntries(Object.entries(headers).map(([name, value]) => [name.toLowerCase(), fill(value)])),
    body: body === undefined ? undefined : fill(body),
  };
}

/** The protocol of a spec. @throws {Error} when it names none that there is */
export function protocolOf({ protocol, url }: RequestSpec): NonNullable<RequestSpec['protocol']> {
  const chosen =
    protocol ??
    (url.startsWith('tcp:') ? 'tcp' : url.startsWith('https:') ? 'tls' : url.startsWith('ws:') ? 'websocket' : 'http');
  if (!['http', 'http2', 'grpc', 'tcp', 'tls', 'websocket'].includes(chosen)) {
    throw new Error(`protocol "${chosen}" of ${url}: must be http, http2, grpc, tcp, tls or websocket`);
  }
  return chosen;
}
