import { BlockList, isIP } from 'node:net';
import type {
  AuthorizationCondition,
  AuthorizationOperation,
  AuthorizationPolicy,
  AuthorizationRule,
  AuthorizationSource,
} from '../../../api/authorization-policy.ts';

/**
 * Decides as Istio's documentation has it ("Authorization Policy", "Authorization Policy Conditions", "Authorization Policy Normalization", "Security
 * Best Practices", "TCP Traffic"). It shares nothing with our translation but the shape of a policy.
 */

/** What is known of a request, or of a connection of TCP, once it is normalised. */
export interface CallFacts {
  /** Trust domain, namespace and ServiceAccount, as in a certificate: `cluster.local/ns/shop/sa/ui`. Absent without mutual TLS. */
  readonly principal?: string;
  readonly sourceIp: string;
  /** By the PROXY protocol, or X-Forwarded-For. */
  readonly remoteIp: string;
  readonly destinationIp: string;
  readonly port: number;
  readonly serverName?: string;
  /** Absent for TCP. */
  readonly http?: HttpFacts;
}

export interface HttpFacts {
  readonly method: string;
  readonly host: string;
  /** Without the query. */
  readonly path: string;
  /** Servers may take it for another: so it is among those that are denied, and not among those that are allowed. */
  readonly unclear: boolean;
  /** By name in lower case; those of one name are joined by commas. */
  readonly headers: ReadonlyMap<string, string>;
}

/** A workload that policies may be about. */
export interface ReferenceWorkload {
  readonly namespace: string;
  readonly labels: Readonly<Record<string, string>>;
  /** Ports of the workload by the Service that leads to them, of its namespace. */
  readonly services: ReadonlyMap<string, readonly number[]>;
  readonly rootNamespace: string;
}

/** Whether a call is let through; the first thing that says why not, else. */
export type ReferenceDecision = { readonly allowed: true } | { readonly allowed: false; readonly by: string };

/** @param policies all there are, of any namespace */
export function decideByReference(
  policies: readonly AuthorizationPolicy[],
  workload: ReferenceWorkload,
  call: CallFacts,
): ReferenceDecision {
  const about = policies.filter((policy) => isAbout(policy, workload, call.port) && !isDryRun(policy));
  const of = (action: string) => about.filter(({ spec }) => (spec?.action ?? 'ALLOW') === action);
  const matching = (action: string) => of(action).find((policy) => matchesPolicy(policy, call, action !== 'ALLOW'));
  // None of the providers exists, and who can't be asked does not consent.
  const denying = matching('CUSTOM') ?? matching('DENY');
  if (denying !== undefined) return { allowed: false, by: denying.metadata.name };
  if (of('ALLOW').length === 0 || matching('ALLOW') !== undefined) return { allowed: true };
  return { allowed: false, by: 'no ALLOW policy matches' };
}

function isDryRun({ metadata }: AuthorizationPolicy): boolean {
  return metadata.annotations?.['istio.io/dry-run'] === 'true';
}

function isAbout({ metadata, spec }: AuthorizationPolicy, workload: ReferenceWorkload, port: number): boolean {
  const { namespace } = metadata;
  if (namespace !== workload.namespace && namespace !== workload.rootNamespace) return false;
  const targets = spec?.targetRefs ?? (spec?.targetRef === undefined ? [] : [spec.targetRef]);
  if (targets.length > 0) {
    return namespace === workload.namespace && targets.some(({ name }) => workload.services.get(name)?.includes(port));
  }
  const wanted = Object.entries(spec?.selector?.matchLabels ?? {});
  return wanted.every(([key, value]) => workload.labels[key] === value);
}

/** @param missingMatch whether a field that only HTTP has matches on TCP; else its rule matches nothing there */
function matchesPolicy({ metadata, spec }: AuthorizationPolicy, call: CallFacts, missingMatch: boolean): boolean {
  const own = metadata.namespace;
  return (spec?.rules ?? []).some((rule) => {
    if (call.http === undefined && !missingMatch && isAboutHttp(rule)) return false;
    return matchesRule(rule, call, { own, denies: missingMatch });
  });
}

/** A rule's policy: its namespace, and whether what matches is denied. */
interface Owner {
  readonly own: string;
  readonly denies: boolean;
}

function matchesRule({ from = [], to = [], when = [] }: AuthorizationRule, call: CallFacts, owner: Owner): boolean {
  return (
    (from.length === 0 || from.some(({ source = {} }) => matchesSource(source, call, owner.own))) &&
    (to.length === 0 || to.some(({ operation = {} }) => matchesOperation(operation, call, owner.denies))) &&
    when.every((condition) => matchesCondition(condition, call, owner))
  );
}

const HTTP_SOURCE = ['requestPrincipals', 'notRequestPrincipals'] as const;
const HTTP_OPERATION = ['hosts', 'notHosts', 'methods', 'notMethods', 'paths', 'notPaths'] as const;

function isAboutHttp({ from = [], to = [], when = [] }: AuthorizationRule): boolean {
  return (
    from.some(({ source = {} }) => HTTP_SOURCE.some((field) => source[field] !== undefined)) ||
    to.some(({ operation = {} }) => HTTP_OPERATION.some((field) => operation[field] !== undefined)) ||
    when.some(({ key }) => key.startsWith('request.'))
  );
}

type Test = (pattern: string) => boolean;

/** One of the values, where there are any, and none of the others. */
function holds(test: Test, values: readonly string[] | undefined, notValues: readonly string[] | undefined): boolean {
  return (values === undefined || values.some(test)) && !(notValues ?? []).some(test);
}

function matchesSource(source: AuthorizationSource, call: CallFacts, own: string): boolean {
  const { principal, http } = call;
  const { trustDomain, namespace } = partsOf(principal);
  return (
    holds(isLike(principal), source.principals, source.notPrincipals) &&
    // Nobody has shown a token.
    (http === undefined || holds(() => false, source.requestPrincipals, source.notRequestPrincipals)) &&
    holds(isLike(namespace), source.namespaces, source.notNamespaces) &&
    holds(isAccount(principal, own), source.serviceAccounts, source.notServiceAccounts) &&
    holds(isLike(trustDomain), source.trustDomains, source.notTrustDomains) &&
    holds(isWithin(call.sourceIp), source.ipBlocks, source.notIpBlocks) &&
    holds(isWithin(call.remoteIp), source.remoteIpBlocks, source.notRemoteIpBlocks)
  );
}

function matchesOperation(operation: AuthorizationOperation, { port, http }: CallFacts, denies: boolean): boolean {
  if (!holds(isLike(String(port)), operation.ports, operation.notPorts)) return false;
  if (http === undefined) return true;
  const isHost = (pattern: string): boolean => isLike(http.host.toLowerCase())(pattern.toLowerCase());
  const isPath = (pattern: string): boolean =>
    /\{\*\*?\}/.test(pattern) ? isOfTemplate(http.path, pattern) : isLike(http.path)(pattern);
  return (
    holds(isHost, operation.hosts, operation.notHosts) &&
    holds(isLike(http.method), operation.methods, operation.notMethods) &&
    (http.unclear && (operation.paths ?? operation.notPaths) !== undefined
      ? denies
      : holds(isPath, operation.paths, operation.notPaths))
  );
}

function matchesCondition(condition: AuthorizationCondition, call: CallFacts, { own, denies }: Owner): boolean {
  const { key, values, notValues } = condition;
  if (key.startsWith('request.') && call.http === undefined) return true;
  const [, header] = /^request\.headers\[(.*)\]$/.exec(key) ?? [];
  if (header === undefined) return holds(testOf(key, call, own), values, notValues);
  const name = header.toLowerCase();
  const value = name === 'host' ? call.http?.host : call.http?.headers.get(name);
  // Headers of one name are one value (Istio). Not in its documentation: who is to be stopped is stopped by one value of a list.
  const [positive, negative] = denies ? [isInList(value), isLike(value)] : [isLike(value), isInList(value)];
  return (values === undefined || values.some(positive)) && !(notValues ?? []).some(negative);
}

/** The whole, or any part of it between commas. */
function isInList(value: string | undefined): Test {
  const items = value?.split(',') ?? [];
  const parts = items.flatMap((_, from) =>
    items.slice(from).map((_, length) =>
      items
        .slice(from, from + length + 1)
        .join(',')
        .replace(/^[ \t]+|[ \t]+$/g, ''),
    ),
  );
  return (pattern) => (pattern === '*' ? isLike(value)(pattern) : parts.some((part) => isLike(part)(pattern)));
}

function testOf(key: string, call: CallFacts, own: string): Test {
  const { trustDomain, namespace } = partsOf(call.principal);
  switch (key) {
    case 'source.ip':
      return isWithin(call.sourceIp);
    case 'remote.ip':
      return isWithin(call.remoteIp);
    case 'destination.ip':
      return isWithin(call.destinationIp);
    case 'destination.port':
      return isLike(String(call.port));
    case 'source.namespace':
      return isLike(namespace);
    case 'source.principal':
      return isLike(call.principal);
    case 'source.serviceAccount':
      return isAccount(call.principal, own);
    case 'source.trustDomain':
      return isLike(trustDomain);
    case 'connection.sni':
      return isLike(call.serverName);
    default:
      // Tokens, which nobody has shown, and metadata of filters, of which there are none.
      return () => false;
  }
}

function partsOf(principal: string | undefined) {
  const [, trustDomain, namespace, account] = /^([^/]+)\/ns\/([^/]+)\/sa\/([^/]+)$/.exec(principal ?? '') ?? [];
  return { trustDomain, namespace, account };
}

/** `NAMESPACE/NAME`, or `NAME` in the namespace of the policy, of any trust domain. */
function isAccount(principal: string | undefined, own: string): Test {
  const { namespace, account } = partsOf(principal);
  return (pattern) => {
    const wanted = pattern.includes('/') ? pattern : `${own}/${pattern}`;
    return account !== undefined && wanted === `${namespace}/${account}`;
  };
}

/** Exact, prefix, suffix, and presence match: `*` is for what is there and not empty. */
function isLike(value: string | undefined): Test {
  return (pattern) => {
    if (value === undefined) return false;
    if (pattern === '*') return value !== '';
    if (pattern.startsWith('*')) return value.endsWith(pattern.slice(1));
    return pattern.endsWith('*') ? value.startsWith(pattern.slice(0, -1)) : value === pattern;
  };
}

function isWithin(address: string): Test {
  return (pattern) => {
    const [base = '', bits] = pattern.split('/');
    const family = isIP(base) === 6 ? 'ipv6' : 'ipv4';
    if (isIP(address) !== isIP(base)) return false;
    const list = new BlockList();
    if (bits === undefined) list.addAddress(base, family);
    else list.addSubnet(base, Number(bits), family);
    return list.check(address, family);
  };
}

/** `{*}` stands for one segment that is not empty, `{**}` for any number of them, or for none. */
function isOfTemplate(path: string, template: string): boolean {
  return matchSegments(path.split('/'), template.split('/'));
}

function matchSegments(path: readonly string[], [wanted, ...rest]: readonly string[]): boolean {
  if (wanted === undefined) return path.length === 0;
  const [first, ...others] = path;
  // A `{**}` may be of no segment at all, but for the empty one that follows the slash before it.
  if (wanted === '{**}') return path.some((_, index) => matchSegments(path.slice(index + 1), rest));
  if (first === undefined || (wanted === '{*}' ? first === '' : first !== wanted)) return false;
  return matchSegments(others, rest);
}
