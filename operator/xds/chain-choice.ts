import type { Matcher_OnMatch } from '../../generated/envoy/xds/type/matcher/v3/matcher_pb.js';
import { type AddressRange, readRange } from './address-range.ts';
import { addressIn, allOf, chooseChain, matchFirst, matchServerName, serverNameIn } from './network-matchers.ts';
import type { ConditionalChain, TcpChain } from './outbound-target.ts';

/** The filter chains of a listener that its matcher leads to. */
export class ChainChoice {
  private readonly chains = new Map<string, TcpChain>();

  /** Chooses a chain, which thereby is one of the listener's. */
  choose(chain: TcpChain): Matcher_OnMatch {
    if (!this.chains.has(chain.name)) this.chains.set(chain.name, chain);
    return chooseChain(chain.name);
  }

  /** All that were chosen, by name. */
  chosen(): TcpChain[] {
    return [...this.chains.values()].sort((a, b) => (a.name < b.name ? -1 : 1));
  }

  /**
   * By conditions: those of destination addresses come first, in their order; of server names the most specific decides, whatever the order. So it
   * is in Envoy's own choice of filter chains, which Istio makes of the same routes.
   */
  chooseFirst(rules: readonly ConditionalChain[], otherwise: Matcher_OnMatch): Matcher_OnMatch {
    const byAddress = rules.filter(({ subnets }) => subnets.length > 0).flatMap((rule) => this.entry(rule));
    const exact = new Map<string, Matcher_OnMatch>();
    const patterns = new Map<string, Matcher_OnMatch>();
    for (const { chain, serverNames, subnets } of rules) {
      if (subnets.length > 0) continue;
      for (const name of serverNames) {
        const names = name.startsWith('*') ? patterns : exact;
        if (!names.has(name)) names.set(name, this.choose(chain));
      }
    }
    const longestFirst = [...patterns].sort(([a], [b]) => b.length - a.length);
    const byPattern = longestFirst.map(([name, onMatch]) => [serverNameIn([name]), onMatch] as const);
    return matchFirst(byAddress, matchServerName(exact, matchFirst(byPattern, otherwise)));
  }

  /** One conditional chain as an entry of a list; none when it can't match, as its blocks are none. */
  entry(rule: ConditionalChain, within?: AddressRange): (readonly [ReturnType<typeof allOf>, Matcher_OnMatch])[] {
    const ranges = rule.subnets.map(readRange).filter((range) => range !== undefined);
    if (rule.subnets.length > 0 && ranges.length === 0) return [];
    const conditions = [
      ...(within === undefined ? [] : [addressIn([within])]),
      ...(rule.serverNames.length === 0 ? [] : [serverNameIn(rule.serverNames)]),
      ...(ranges.length === 0 ? [] : [addressIn(ranges)]),
    ];
    return [[allOf(conditions), this.choose(rule.chain)]];
  }
}
