import { create } from '@bufbuild/protobuf';
import { BoolValueSchema } from '@bufbuild/protobuf/wkt';
import {
  type Route,
  type RouteAction,
  RouteAction_MaxStreamDurationSchema,
  type RouteAction_RequestMirrorPolicy,
  RouteAction_RequestMirrorPolicySchema,
  RouteActionSchema,
  type WeightedCluster_ClusterWeight,
  WeightedCluster_ClusterWeightSchema,
  WeightedClusterSchema,
} from '../../generated/envoy/envoy/config/route/v3/route_components_pb.js';
import { RegexMatchAndSubstituteSchema } from '../../generated/envoy/envoy/type/matcher/v3/regex_pb.js';
import type { HttpRule, Rewrite, WeightedBackend } from '../mesh/route-rule.ts';
import { milliseconds } from './encoding.ts';
import { buildHeaderMutations, type HeaderMutations, requestedHost } from './header-operations.ts';
import type { RouteContext } from './http-route-context.ts';
import { buildHashPolicies } from './http-route-hashes.ts';
import { buildRuntimePercent } from './http-route-percent.ts';
import { multiplyShares, type RouteShare } from './http-route-shares.ts';
import { BLACK_HOLE_CLUSTER } from './names.ts';
import { buildRetryPolicy } from './retry-policies.ts';
import { cookieRules, copiesOf, sideHashes } from './split-shares.ts';
import { buildRegexMatcher } from './string-matchers.ts';

/** A hash chooses the cluster as well as the endpoint; a request that has nothing of what is hashed falls by chance. */
const BY_HASH = { case: 'useHashPolicy', value: create(BoolValueSchema, { value: true }) } as const;

/** What `grpc-timeout` says, with no bound of our own. */
const CALLERS_DEADLINE = create(RouteAction_MaxStreamDurationSchema, { grpcTimeoutHeaderMax: milliseconds(0) });

/** A stream may be silent for as long as it likes, whatever its connection manager says of streams without a route. */
const ANY_SILENCE = milliseconds(0);

/** The parts of a route that say where requests go, and with which headers. */
export type Forward = HeaderMutations & { readonly action: Route['action'] };

/** A rule's backends. Their headers come after the rule's where there is one backend, and before them where there are more, as in Istio. */
export function buildForward(rule: HttpRule, backends: readonly WeightedBackend[], context: RouteContext): Forward {
  const resolved = backends.map((backend) => ({ ...backend, ...context.resolve(backend) }));
  const [only, ...others] = backends;
  const lone = others.length === 0 ? only : undefined;
  const host = rule.rewrite?.authority || requestedHost(rule.headers) || requestedHost(lone?.headers);
  const used = resolved.filter((backend) => backend.weight > 0);
  const sides = sideHashes(used);
  const shares = multiplyShares(resolved, ({ shares }) => shares, sides.length > 0);
  const options = { ownHeaders: lone === undefined, hostGiven: host !== undefined, hashed: sides.length > 0 };
  const action = create(RouteActionSchema, {
    clusterSpecifier: clusterSpecifier(shares, options),
    ...buildTimeout(rule.timeoutMs ?? 0),
    idleTimeout: ANY_SILENCE,
    ...buildRewrite(rule.rewrite),
    ...(host === undefined ? {} : { hostRewriteSpecifier: { case: 'hostRewriteLiteral', value: host } }),
    requestMirrorPolicies: [
      ...rule.mirrors
        .filter(({ percent }) => percent > 0)
        .map(({ percent, ...mirror }) => buildMirror(percent, context.mirrorCluster(mirror))),
      ...copiesOf(used).map(({ percent, cluster }) => buildMirror(percent, cluster)),
    ],
    hashPolicy: buildHashPolicies([...sides, ...used.flatMap((backend) => backend.hashPolicies)]),
  });
  const retryPolicy = buildRetryPolicy(rule.retries);
  if (retryPolicy !== undefined) action.retryPolicy = retryPolicy;
  return { ...buildHeaderMutations(rule.headers, lone?.headers), action: { case: 'route', value: action } };
}

interface ShareOptions {
  /** Backends have their headers to themselves. */
  readonly ownHeaders: boolean;
  /** The rule has said what the host becomes, which overrules its backends. */
  readonly hostGiven: boolean;
  /** What is hashed decides, in place of chance. */
  readonly hashed: boolean;
}

function clusterSpecifier(
  shares: readonly RouteShare<WeightedBackend>[],
  options: ShareOptions,
): RouteAction['clusterSpecifier'] {
  const [only, ...others] = shares;
  if (only === undefined) return { case: 'cluster', value: BLACK_HOLE_CLUSTER };
  const hasHeaders = (options.ownHeaders && only.backend.headers !== undefined) || only.setCookie !== undefined;
  if (others.length === 0 && !hasHeaders) return { case: 'cluster', value: only.cluster };
  const clusters = shares.map((share) => buildClusterWeight(share, options));
  const randomValueSpecifier = options.hashed ? BY_HASH : { case: undefined };
  return { case: 'weightedClusters', value: create(WeightedClusterSchema, { clusters, randomValueSpecifier }) };
}

function buildClusterWeight(
  { cluster, weight, backend, setCookie }: RouteShare<WeightedBackend>,
  { ownHeaders, hostGiven }: ShareOptions,
): WeightedCluster_ClusterWeight {
  const headers = ownHeaders ? backend.headers : undefined;
  const host = ownHeaders && !hostGiven ? requestedHost(backend.headers) : undefined;
  return create(WeightedCluster_ClusterWeightSchema, {
    name: cluster,
    weight,
    ...buildHeaderMutations(headers, cookieRules(setCookie)),
    ...(host === undefined ? {} : { hostRewriteSpecifier: { case: 'hostRewriteLiteral', value: host } }),
  });
}

/**
 * None by default, since the application's callers knew none before; then gRPC's own deadline, which callers send along, counts. Beside a timeout
 * it is left to the caller to keep: Envoy looks at one or the other, and at both only by a deprecated field, for each use of which it logs a warning.
 */
function buildTimeout(ms: number): Partial<Pick<RouteAction, 'timeout' | 'maxStreamDuration'>> {
  return { timeout: milliseconds(ms), ...(ms > 0 ? {} : { maxStreamDuration: CALLERS_DEADLINE }) };
}

/** Takes the matched prefix away and puts another in its place; exact and regular matches match the whole path. */
function buildRewrite(rewrite: Rewrite | undefined): Partial<Pick<RouteAction, 'prefixRewrite' | 'regexRewrite'>> {
  if (rewrite?.uriRegex !== undefined) {
    const { match, rewrite: substitution } = rewrite.uriRegex;
    return {
      regexRewrite: create(RegexMatchAndSubstituteSchema, { pattern: buildRegexMatcher(match), substitution }),
    };
  }
  return rewrite?.uri === undefined ? {} : { prefixRewrite: rewrite.uri };
}

/** The copy's host stays as it is, as in Istio: Envoy would add `-shadow`, which applications know nothing of. */
function buildMirror(percent: number, cluster: string): RouteAction_RequestMirrorPolicy {
  return create(RouteAction_RequestMirrorPolicySchema, {
    cluster,
    runtimeFraction: buildRuntimePercent(percent),
    disableShadowHostSuffixAppend: true,
  });
}
