import type { ObjectKey, ObjectRef } from './object-ref.ts';
import type { Labels } from './selector.ts';
import type { Hostname } from './snapshot.ts';
import type { Visibility } from './visibility.ts';

/**
 * Routes as the mesh knows them, whatever API they come from: names are resolved, durations are ms, percentages 0 to 100 (with fractions),
 * delegates are merged in, and what cannot be right is left out. Only rules for the sidecars of the mesh are here.
 */
export interface RouteRule {
  /** The VirtualService. */
  readonly object: ObjectRef;
  readonly key: ObjectKey;
  /** Ms since the epoch; the older wins. */
  readonly createdAt: number;
  /** Fully qualified, in lower case, each once; with `*.` in front, or `*` alone, for many. */
  readonly hosts: readonly Hostname[];
  readonly visibility: Visibility;
  /** VirtualServices that routes are delegated to and whose rules are merged in, in order of key. */
  readonly delegates: readonly ObjectKey[];
  /** In the order in which they are tried; the first match decides. */
  readonly http: readonly HttpRule[];
  readonly tls: readonly TlsRule[];
  readonly tcp: readonly TcpRule[];
}

/** `exact`, `prefix`: text. `regex`: RE2, over the whole value. */
export interface StringMatch {
  readonly kind: 'exact' | 'prefix' | 'regex';
  readonly value: string;
}

/** A match of a header or query parameter by name; without `value`: it is there, whatever it says. */
export interface NamedMatch {
  readonly name: string;
  readonly value?: StringMatch;
}

/** Which clients a match is for; both must hold. */
export interface SourceMatch {
  /** Labels the client's pod must have; empty: any. */
  readonly labels: Labels;
  readonly namespace?: string;
}

/** All of it must hold. */
export interface HttpMatch {
  readonly uri?: StringMatch;
  readonly ignoreUriCase: boolean;
  readonly scheme?: StringMatch;
  readonly method?: StringMatch;
  readonly authority?: StringMatch;
  readonly headers: readonly NamedMatch[];
  /** None of these may match. */
  readonly withoutHeaders: readonly NamedMatch[];
  readonly queryParams: readonly NamedMatch[];
  /** By name; absent: none. */
  readonly cookies?: readonly NamedMatch[];
  /** Port the client addresses. */
  readonly port?: number;
  readonly source?: SourceMatch;
}

export interface HeaderOperations {
  /** Name and value; values may hold Envoy's command operators as in Istio (`%REQ(...)%`). */
  readonly set: readonly (readonly [string, string])[];
  readonly add: readonly (readonly [string, string])[];
  readonly remove: readonly string[];
}

export interface HeaderRules {
  readonly request: HeaderOperations;
  readonly response: HeaderOperations;
}

/** Where requests or connections may go. */
export interface Backend {
  /** Of a service; it need not exist. */
  readonly hostname: Hostname;
  readonly subset?: string;
  /** Absent: the only port of the service, else the port the client addresses. */
  readonly port?: number;
}

/** A share of the traffic; shares of one rule are relative to their sum, which is above 0. */
export interface WeightedBackend extends Backend {
  readonly weight: number;
  readonly headers?: HeaderRules;
}

export interface Retries {
  /** Retries after the first attempt; 0: none. */
  readonly attempts: number;
  readonly perTryTimeoutMs?: number;
  /** Envoy's conditions, comma-separated, and status codes among them; absent: the mesh's default conditions. */
  readonly retryOn?: string;
  /** Base interval between tries. */
  readonly backoffMs?: number;
  readonly remoteLocalities: boolean;
  readonly ignorePreviousHosts: boolean;
}

export interface Fault {
  readonly delay?: { readonly fixedMs: number; readonly percent: number };
  readonly abort?: { readonly httpStatus?: number; readonly grpcStatus?: number; readonly percent: number };
}

export interface Mirror extends Backend {
  readonly percent: number;
}

export interface Cors {
  readonly allowOrigins: readonly StringMatch[];
  readonly allowMethods: readonly string[];
  readonly allowHeaders: readonly string[];
  readonly exposeHeaders: readonly string[];
  readonly maxAgeMs?: number;
  readonly allowCredentials?: boolean;
  /** `FORWARD` sends preflights of other origins on, `IGNORE` answers them 200 without headers; absent: forward. */
  readonly unmatchedPreflights?: 'FORWARD' | 'IGNORE';
}

export interface Rewrite {
  /** Takes the place of the matched prefix, or of the whole path after an exact or regex match. */
  readonly uri?: string;
  readonly authority?: string;
  readonly uriRegex?: { readonly match: string; readonly rewrite: string };
}

export interface Redirect {
  readonly uri?: string;
  readonly authority?: string;
  readonly scheme?: string;
  readonly port?: number | 'FROM_PROTOCOL_DEFAULT' | 'FROM_REQUEST_PORT';
  readonly code: number;
}

export type HttpAction =
  | { readonly kind: 'forward'; readonly backends: readonly WeightedBackend[] }
  | { readonly kind: 'redirect'; readonly redirect: Redirect }
  | { readonly kind: 'respond'; readonly status: number; readonly body?: string | Uint8Array };

export interface HttpRule {
  /** The user's name for it; '' without one. */
  readonly name: string;
  /** Any of them; none at all: every request. */
  readonly matches: readonly HttpMatch[];
  readonly action: HttpAction;
  readonly rewrite?: Rewrite;
  readonly timeoutMs?: number;
  /** Absent: the mesh's default policy. */
  readonly retries?: Retries;
  readonly fault?: Fault;
  readonly mirrors: readonly Mirror[];
  readonly cors?: Cors;
  readonly headers?: HeaderRules;
}

/** All of it must hold. */
export interface TcpMatch {
  readonly port?: number;
  /** Blocks of destination addresses, any of them; empty: any address. */
  readonly subnets: readonly string[];
  readonly source?: SourceMatch;
}

export interface TcpRule {
  /** Any of them; none at all: every connection. */
  readonly matches: readonly TcpMatch[];
  readonly backends: readonly WeightedBackend[];
}

export interface TlsMatch extends TcpMatch {
  /** Names in the handshake, any of them, exact or `*.` in front; at least one. */
  readonly sniHosts: readonly string[];
}

export interface TlsRule {
  /** Any of them; at least one. */
  readonly matches: readonly TlsMatch[];
  readonly backends: readonly WeightedBackend[];
}
