import type {
  AuthorizationCondition,
  AuthorizationOperation,
  AuthorizationPolicy,
  AuthorizationRule,
  AuthorizationSource,
} from '../../../api/authorization-policy.ts';
import type { Draw } from '../../../operator/xds/testing/draw.ts';
import {
  ACCOUNTS,
  BLOCKS,
  HEADER_VALUES,
  HEADERS,
  HOSTS,
  METHODS,
  NAMESPACES,
  PATHS,
  PRINCIPALS,
  SEGMENTS,
  SERVER_NAMES,
  TRUST_DOMAINS,
} from './authorization-vocabulary.ts';

/** Ports that policies name, some of which are of the workload. */
export type KnownPorts = readonly number[];

/** A policy about something, with rules at random. */
export function randomPolicy(
  draw: Draw,
  name: string,
  about: Pick<NonNullable<AuthorizationPolicy['spec']>, 'selector' | 'targetRefs'>,
  ports: KnownPorts,
  namespace = 'shop',
): AuthorizationPolicy {
  const action = draw.one(['ALLOW', 'ALLOW', 'ALLOW', 'DENY', 'DENY', 'DENY', undefined, 'AUDIT', 'CUSTOM'] as const);
  const least = action === 'CUSTOM' || !draw.once(12) ? 1 : 0;
  const rules = draw.list(least, least === 0 ? 0 : 3, () => randomRule(draw, ports, action === 'CUSTOM'));
  return {
    apiVersion: 'security.istio.io/v1',
    kind: 'AuthorizationPolicy',
    metadata: { name, namespace, generation: 1, ...(draw.once(10) && { annotations: { 'istio.io/dry-run': 'true' } }) },
    spec: {
      ...about,
      ...(action !== undefined && { action }),
      ...(action === 'CUSTOM' && { provider: { name: 'nobody' } }),
      ...(rules.length > 0 && { rules }),
    },
  };
}

/** @param anonymous without what is known of a caller by its certificate */
function randomRule(draw: Draw, ports: KnownPorts, anonymous: boolean): AuthorizationRule {
  const rule: AuthorizationRule = {};
  if (draw.once(2)) rule.from = draw.list(1, 2, () => ({ source: randomSource(draw, anonymous) }));
  if (!draw.once(4)) rule.to = draw.list(1, 2, () => ({ operation: randomOperation(draw, ports) }));
  if (draw.once(3)) rule.when = draw.list(1, 2, () => randomCondition(draw, ports, anonymous));
  return rule;
}

/** One to three fields of those there are, each drawn once. */
function someFields<Name extends string>(
  draw: Draw,
  makers: Readonly<Record<Name, () => string>>,
): Partial<Record<Name, string[]>> {
  // Its own keys.
  const names = Object.keys(makers) as Name[];
  const fields: Partial<Record<Name, string[]>> = {};
  for (let left = draw.one([1, 1, 1, 2, 2, 3]); left > 0; left--) {
    const name = draw.one(names);
    fields[name] = draw.list(1, 3, makers[name]);
  }
  return fields;
}

function randomSource(draw: Draw, anonymous: boolean): AuthorizationSource {
  const block = () => draw.one(BLOCKS);
  const addresses = { ipBlocks: block, notIpBlocks: block, remoteIpBlocks: block, notRemoteIpBlocks: block };
  if (anonymous) return someFields(draw, addresses);
  const principal = () => pattern(draw, PRINCIPALS);
  const namespace = () => pattern(draw, NAMESPACES);
  const account = () => randomAccount(draw);
  const domain = () => pattern(draw, TRUST_DOMAINS);
  const user = () => draw.one(['*', 'issuer.example/ann', 'issuer.example/*']);
  // Of these, more than one may be drawn together.
  const names = {
    principals: principal,
    notPrincipals: principal,
    namespaces: namespace,
    notNamespaces: namespace,
    notServiceAccounts: account,
    trustDomains: domain,
    notTrustDomains: domain,
    notRequestPrincipals: user,
  };
  if (draw.once(6)) {
    const { notServiceAccounts, trustDomains, notPrincipals, notNamespaces } = names;
    const beside = draw.once(2)
      ? someFields(draw, { ...addresses, notServiceAccounts, trustDomains, notPrincipals, notNamespaces })
      : {};
    return { ...beside, serviceAccounts: draw.list(1, 2, account) };
  }
  if (draw.once(12)) return { requestPrincipals: [user()] };
  return someFields(draw, { ...addresses, ...names });
}

function randomAccount(draw: Draw): string {
  const name = draw.one(ACCOUNTS);
  return draw.once(2) ? name : `${draw.one(NAMESPACES)}/${name}`;
}

function randomOperation(draw: Draw, ports: KnownPorts): AuthorizationOperation {
  const host = () => randomCase(draw, pattern(draw, HOSTS));
  const port = () => String(draw.one(ports));
  const method = () => pattern(draw, METHODS);
  const path = () => (draw.once(3) ? randomTemplate(draw) : pattern(draw, PATHS));
  const single = { hosts: host, notHosts: host, methods: method, notMethods: method };
  return someFields(draw, { ...single, ports: port, notPorts: port, paths: path, notPaths: path });
}

function randomCondition(draw: Draw, ports: KnownPorts, anonymous: boolean): AuthorizationCondition {
  const makers: Readonly<Record<string, () => string>> = {
    [`request.headers[${randomCase(draw, draw.one(HEADERS))}]`]: () => pattern(draw, HEADER_VALUES),
    'request.headers[X-Team]': () => pattern(draw, HEADER_VALUES),
    'request.headers[Host]': () => pattern(draw, HOSTS),
    'source.ip': () => draw.one(BLOCKS),
    'remote.ip': () => draw.one(BLOCKS),
    'destination.ip': () => draw.one(BLOCKS),
    'destination.port': () => String(draw.one(ports)),
    'connection.sni': () =>
      pattern(
        draw,
        SERVER_NAMES.filter((name) => name !== undefined),
      ),
    'experimental.envoy.filters.network.mysql_proxy[db.table]': () => '[update]',
  };
  const identified: Readonly<Record<string, () => string>> = {
    'source.namespace': () => pattern(draw, NAMESPACES),
    'source.principal': () => pattern(draw, PRINCIPALS),
    'source.serviceAccount': () => randomAccount(draw),
    'source.trustDomain': () => pattern(draw, TRUST_DOMAINS),
    'request.auth.principal': () => '*',
    'request.auth.audiences': () => draw.one(['*', 'shop']),
    'request.auth.presenter': () => '*',
    'request.auth.claims[group][name]': () => pattern(draw, HEADER_VALUES),
  };
  const [key, make] = draw.one(Object.entries(anonymous ? makers : { ...makers, ...identified }));
  const [values, notValues] = [draw.list(1, 2, make), draw.list(1, 2, make)];
  return draw.one([
    { key, values },
    { key, values },
    { key, notValues },
    { key, values, notValues },
  ]);
}

/** A value in one of Istio's notations. */
function pattern(draw: Draw, values: readonly string[]): string {
  const value = draw.one(values);
  const cut = 1 + draw.below(value.length);
  return draw.one([value, value, value, `${value.slice(0, cut)}*`, `*${value.slice(-cut)}`, `${value}*`, '*']);
}

function randomTemplate(draw: Draw): string {
  const segments: string[] = draw.list(1, 3, () => (draw.once(2) ? '{*}' : plainSegment(draw)));
  if (draw.once(2)) segments.push('{**}');
  else if (!segments.includes('{*}')) segments.push('{*}');
  if (draw.once(3)) segments.push(draw.one(['', plainSegment(draw)]));
  return `/${segments.join('/')}`;
}

/** Such as a template may have as it is. */
function plainSegment(draw: Draw): string {
  return draw.one([...SEGMENTS.filter((segment) => /^[-a-zA-Z0-9._~%!$&'()+,;:@]+$/.test(segment)), 'users', 'api']);
}

function randomCase(draw: Draw, text: string): string {
  return draw.once(3) ? [...text].map((letter) => (draw.once(2) ? letter.toUpperCase() : letter)).join('') : text;
}
