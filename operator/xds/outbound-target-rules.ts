import type { WeightedBackend } from '../mesh/route-rule.ts';
import type { Share } from './destination.ts';
import { contentHash } from './encoding.ts';
import type { ResolvedBackend } from './http-route-context.ts';
import { multiplyShares } from './http-route-shares.ts';
import { BLACK_HOLE_CLUSTER, tcpChain } from './names.ts';
import type { ConditionalChain, TargetInput, TcpChain } from './outbound-target.ts';

/** What routes make of opaque connections. */
export interface OpaqueRoutes {
  /** In the order in which they are tried. */
  readonly rules: readonly ConditionalChain[];
  /** Takes what no rule does; undefined: that goes to the service as if there were no routes. */
  readonly chain: TcpChain | undefined;
}

/**
 * The TLS rules where the port is declared to be TLS, else the TCP rules, as in Istio. TLS that no rule names goes to the service; in Istio it
 * goes to where the client wanted, hence past the mesh.
 */
export function routeOpaque(input: TargetInput): OpaqueRoutes {
  const rules: ConditionalChain[] = [];
  if (input.port.protocol === 'tls') {
    for (const { matches, backends } of input.tls) {
      const chain = ruleChain(input, backends);
      for (const { sniHosts, subnets } of matches) {
        rules.push({ chain, serverNames: sniHosts.map((host) => host.toLowerCase()), subnets });
      }
    }
    return { rules, chain: undefined };
  }
  for (const { matches, backends } of input.tcp) {
    const chain = ruleChain(input, backends);
    // A match that is for every address ends the list.
    if (matches.length === 0 || matches.some(({ subnets }) => subnets.length === 0)) return { rules, chain };
    rules.push({ chain, serverNames: [], subnets: matches.flatMap(({ subnets }) => subnets) });
  }
  return { rules, chain: undefined };
}

/**
 * Named by its content: a rule that is put before it leaves its connections alone, and rules that are equal share it. Its statistics are those of the
 * service, so that a change of weights makes no new ones.
 */
function ruleChain({ service, port, resolve }: TargetInput, backends: readonly WeightedBackend[]): TcpChain {
  const resolved = new Map(backends.filter(({ weight }) => weight > 0).map((backend) => [backend, resolve(backend)]));
  const shares = multiplyShares(backends, (backend) => resolved.get(backend)?.shares ?? []);
  const whole = tcpChain(port.port, service.hostname);
  const chain = describeTcpChain(whole, [...resolved.values()], shares);
  return { ...chain, name: `${whole}|${contentHash(JSON.stringify(chain))}`, statPrefix: whole };
}

/**
 * A chain to what backends come to.
 * @param shares those of the backends, unless they are weighted
 */
export function describeTcpChain(
  name: string,
  backends: readonly ResolvedBackend[],
  shares: readonly Share[] = backends.flatMap((backend) => backend.shares),
): TcpChain {
  const hashesSource = backends.some(({ hashPolicies }) => hashPolicies.some(({ kind }) => kind === 'source-ip'));
  // Envoy refuses a chain that leads nowhere.
  const some = shares.length > 0 ? shares : [{ cluster: BLACK_HOLE_CLUSTER, weight: 100 }];
  // One proxy carries the connections to all of them, so of several that have limits of their own the first is heard.
  const { idleTimeoutMs, maxConnectionDurationMs } = backends.find(({ tcp }) => tcp !== undefined)?.tcp ?? {};
  return {
    name,
    // The rest of a share is for HTTP.
    shares: some.map(({ cluster, weight }) => ({ cluster, weight })),
    ...(hashesSource ? { hashesSource: true } : {}),
    ...(idleTimeoutMs === undefined ? {} : { idleTimeoutMs }),
    ...(maxConnectionDurationMs === undefined ? {} : { maxConnectionDurationMs }),
  };
}
