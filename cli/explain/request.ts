/** A request as a client sends it; headers by the names and in the order in which they were given, but for the host. */
export interface HttpRequest {
  readonly method: string;
  /** Of what the client says to its sidecar: `http`, whatever the sidecars speak. */
  readonly scheme: string;
  /** The Host header, `:authority` in HTTP/2; with a port where the client says one. */
  readonly authority: string;
  /** With the query. */
  readonly path: string;
  readonly headers: readonly (readonly [name: string, value: string])[];
}

/** Values of all headers of a name, in order. */
export function headerValues({ headers }: HttpRequest, name: string): readonly string[] {
  const wanted = name.toLowerCase();
  return headers.filter(([own]) => own.toLowerCase() === wanted).map(([, value]) => value);
}

/** The value of a header; of several of one name their values joined by commas, as policies compare them. Undefined: it is not there. */
export function headerOf(request: HttpRequest, name: string): string | undefined {
  const values = headerValues(request, name);
  return values.length === 0 ? undefined : values.join(',');
}

/** The path without its query. */
export function barePath(path: string): string {
  return path.split(/[?#]/, 1)[0] ?? '';
}

/** Parameters of the query as they are written, undecoded, in order. */
export function queryOf(path: string): readonly (readonly [name: string, value: string])[] {
  const start = path.indexOf('?');
  if (start < 0) return [];
  return path
    .slice(start + 1)
    .split('&')
    .map((part) => {
      const equals = part.indexOf('=');
      return equals < 0 ? ([part, ''] as const) : ([part.slice(0, equals), part.slice(equals + 1)] as const);
    });
}

/** The first cookie of a name; undefined: there is none. */
export function cookieOf(request: HttpRequest, name: string): string | undefined {
  for (const part of headerOf(request, 'cookie')?.split(';') ?? []) {
    const equals = part.indexOf('=');
    if (equals >= 0 && part.slice(0, equals).trim() === name) return part.slice(equals + 1).trim();
  }
  return undefined;
}
