import type { HttpRoute } from '../../api/http-route.ts';
import { istioDurationMs } from '../../api/istio-duration.ts';
import type {
  Backend,
  Cors,
  Fault,
  HeaderRules,
  HttpAction,
  HttpMatch,
  HttpRule,
  Mirror,
  Retries,
  Rewrite,
} from './route-rule.ts';
import { readCors, readFault, readRedirect, readResponse, readRetries, readRewrite } from './virtual-service-action.ts';
import type { DestinationReader } from './virtual-service-destination.ts';
import { readHeaders } from './virtual-service-destination.ts';
import { readHttpMatch, readMatches } from './virtual-service-match.ts';
import { isCatchAll } from './virtual-service-match-key.ts';

/**
 * What a rule does besides its action. What is absent was not said, and in a delegate is taken from the rule that delegates to it; so things
 * that are turned off are here too (a timeout of 0, a fault or a mirror of no percentage).
 */
export interface HttpSettings {
  readonly rewrite?: Rewrite;
  /** 0: none. */
  readonly timeoutMs?: number;
  readonly retries?: Retries;
  readonly fault?: Fault;
  readonly mirror?: Backend;
  /** Of `mirror`. */
  readonly mirrorPercent?: number;
  readonly mirrors?: readonly Mirror[];
  readonly cors?: Cors;
  readonly headers?: HeaderRules;
}

/** An HTTP rule as one VirtualService has it, before delegates are merged in. */
export interface HttpRuleFacts {
  /** As in `spec.http[0]`. */
  readonly field: string;
  readonly name: string;
  readonly matches: readonly HttpMatch[];
  /** What becomes of requests; or `namespace/name` of the VirtualService that decides. */
  readonly action: HttpAction | { readonly kind: 'delegate'; readonly to: string };
  readonly settings: HttpSettings;
}

/**
 * Reads an HTTP rule (HTTPRoute).
 * @param field its path
 * @param namespace of the VirtualService; that of its delegate where none is named
 * @returns undefined when it is for gateways only
 */
export function readHttpRule(
  reader: DestinationReader,
  field: string,
  namespace: string,
  route: HttpRoute,
): HttpRuleFacts | undefined {
  const read = readMatches(route.match, readHttpMatch);
  if (read === undefined) return undefined;
  // However it is spelled, what takes everything is told by having no match.
  const matches = read.length === 1 && read.every(isCatchAll) ? [] : read;
  const action = readAction(reader, field, namespace, route);
  return { field, name: route.name ?? '', matches, action, settings: readSettings(reader, field, route) };
}

/** Makes the rule that proxies follow: what is turned off, or has no effect on an answer of the proxy's own, is left out. */
export function buildHttpRule(
  name: string,
  matches: readonly HttpMatch[],
  action: HttpAction,
  settings: HttpSettings,
): HttpRule {
  const { fault, cors, headers } = settings;
  const injected = fault && effectiveFault(fault);
  return {
    name,
    matches,
    action,
    ...(action.kind === 'forward' ? buildForwarding(settings) : { mirrors: [] }),
    ...(injected && { fault: injected }),
    ...(cors && { cors }),
    ...(headers && { headers }),
  };
}

function buildForwarding(settings: HttpSettings): Pick<HttpRule, 'rewrite' | 'timeoutMs' | 'retries' | 'mirrors'> {
  const { rewrite, timeoutMs = 0, retries, mirror, mirrorPercent = 100, mirrors = [] } = settings;
  const all = mirror === undefined ? mirrors : [{ ...mirror, percent: mirrorPercent }, ...mirrors];
  return {
    ...(rewrite && { rewrite }),
    ...(timeoutMs > 0 ? { timeoutMs } : {}),
    ...(retries && { retries }),
    mirrors: all.filter(({ percent }) => percent > 0),
  };
}

function effectiveFault({ delay, abort }: Fault): Fault | undefined {
  const delays = delay !== undefined && delay.percent > 0;
  const aborts = abort !== undefined && abort.percent > 0;
  return delays || aborts ? { ...(delays ? { delay } : {}), ...(aborts ? { abort } : {}) } : undefined;
}

function readAction(
  reader: DestinationReader,
  field: string,
  namespace: string,
  { route, redirect, directResponse, delegate }: HttpRoute,
): HttpRuleFacts['action'] {
  if (delegate !== undefined) {
    return { kind: 'delegate', to: `${delegate.namespace || namespace}/${delegate.name ?? ''}` };
  }
  if (redirect !== undefined) return { kind: 'redirect', redirect: readRedirect(redirect) };
  if (directResponse !== undefined) return { kind: 'respond', ...readResponse(directResponse) };
  return { kind: 'forward', backends: reader.readWeighted(field, route) };
}

function readSettings(reader: DestinationReader, field: string, route: HttpRoute): HttpSettings {
  const { rewrite, timeout, retries, fault, corsPolicy, headers } = route;
  return {
    ...(rewrite && { rewrite: readRewrite(rewrite) }),
    ...(timeout === undefined ? {} : { timeoutMs: istioDurationMs(timeout) ?? 0 }),
    ...(retries && { retries: readRetries(retries) }),
    ...(fault && { fault: readFault(fault) }),
    ...readMirrors(reader, field, route),
    ...(corsPolicy && { cors: readCors(corsPolicy) }),
    ...(headers && { headers: readHeaders(headers) }),
  };
}

function readMirrors(
  reader: DestinationReader,
  field: string,
  { mirror, mirrors, mirrorPercentage, mirrorPercent, mirror_percent }: HttpRoute,
): Pick<HttpSettings, 'mirror' | 'mirrorPercent' | 'mirrors'> {
  const percent = mirrorPercentage === undefined ? (mirrorPercent ?? mirror_percent) : (mirrorPercentage.value ?? 0);
  const all = mirrors?.map(
    ({ destination, percentage }, index): Mirror => ({
      ...reader.read(`${field}.mirrors[${index}].destination`, destination),
      percent: percentage === undefined ? 100 : (percentage.value ?? 0),
    }),
  );
  return {
    ...(mirror && { mirror: reader.read(`${field}.mirror`, mirror) }),
    ...(percent === undefined ? {} : { mirrorPercent: percent }),
    ...(all && { mirrors: all }),
  };
}
