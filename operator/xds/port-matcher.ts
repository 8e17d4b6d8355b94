import type { Matcher, Matcher_OnMatch } from '../../generated/envoy/xds/type/matcher/v3/matcher_pb.js';
import { type AddressRange, commonRanges, inRange, readRange } from './address-range.ts';
import { ChainChoice } from './chain-choice.ts';
import { HTTP_CHAIN } from './names.ts';
import {
  addressIn,
  type Condition,
  chooseChain,
  matchAddress,
  matchFirst,
  matchRanges,
  matchSniffedHttp,
  matchTls,
} from './network-matchers.ts';
import { PASSTHROUGH } from './outbound-listener.ts';
import type { ConditionalChain, OutboundTarget, TcpChain } from './outbound-target.ts';

/** How a listener chooses among its filter chains. */
export interface PortMatch {
  readonly matcher: Matcher;
  /** Chains of opaque connections, by name. */
  readonly chains: readonly TcpChain[];
  /** Whether there is to be a chain for HTTP. */
  readonly http: boolean;
  /** What is to be looked for in the first bytes. */
  readonly sniffs: { readonly http: boolean; readonly tls: boolean };
}

interface Block {
  readonly range: AddressRange;
  readonly target: OutboundTarget;
}

/**
 * Chooses by exact address, then by block, then by what the connection says.
 * @param targets in a fixed order: the first to name an address, a block or a server name has it
 * @param unknown takes connections that none of them wants
 */
export class PortMatcher {
  private readonly targets: readonly OutboundTarget[];
  private readonly unknown: TcpChain;
  private readonly choice = new ChainChoice();
  private readonly http = chooseChain(HTTP_CHAIN);
  private readonly hasHttp: boolean;
  private readsTls: boolean;

  constructor(targets: readonly OutboundTarget[], unknown: TcpChain) {
    this.targets = targets;
    this.unknown = unknown;
    this.hasHttp = targets.some(({ mode }) => mode !== 'tcp');
    this.readsTls = targets.some(needsServerName);
  }

  /** For connections that are handed to the listener with the address they were made to. */
  byAddress(): PortMatch {
    const blocks = this.blocks();
    const isInBlock = (address: string) => blocks.some(({ range }) => inRange(address, range));
    const exact = this.exact();
    const declared = [...exact].filter(([address, target]) => target.mode === 'http' && !isInBlock(address));
    const ranges = commonRanges(declared.map(([address]) => address));
    const folded = new Set(
      declared.map(([address]) => address).filter((address) => ranges.some((range) => inRange(address, range))),
    );
    const addresses = new Map<string, Matcher_OnMatch>();
    for (const [address, target] of exact) {
      if (!folded.has(address)) addresses.set(address, this.to(target));
    }
    for (const target of this.namesPlainPods() ? this.targets : []) {
      for (const address of target.plainPods ?? []) {
        if (!addresses.has(address)) addresses.set(address, this.to({ ...target, chain: PASSTHROUGH }));
      }
    }
    const elsewhere = this.elsewhere();
    const inBlocks = matchFirst(
      blocks.flatMap((block) => this.inBlock(block)),
      matchRanges(ranges, this.http, elsewhere),
    );
    return this.result(matchAddress(addresses, inBlocks));
  }

  /** For a listener that is bound where the clients connect to: the address says nothing. */
  bound(): PortMatch {
    this.readsTls = this.targets.some(({ serverName }) => serverName !== undefined);
    const targets = this.targets.map(atListener);
    const [first] = targets.filter(({ chain }) => chain !== undefined);
    // Where all is HTTP there is no need for a look.
    if (first === undefined && this.hasHttp) {
      return { ...this.result(matchAddress(new Map(), this.http)), sniffs: { http: false, tls: false } };
    }
    const opaque = this.opaque(first ?? NOTHING);
    const otherwise = this.hasHttp ? this.sniffed(opaque) : opaque;
    return this.result(matchAddress(new Map(), this.choice.chooseFirst(targets.flatMap(byServerName), otherwise)));
  }

  private result(matcher: Matcher): PortMatch {
    return {
      matcher,
      chains: this.choice.chosen(),
      http: this.hasHttp,
      sniffs: { http: this.hasHttp, tls: this.readsTls },
    };
  }

  private exact(): Map<string, OutboundTarget> {
    const addresses = new Map<string, OutboundTarget>();
    for (const target of this.targets) {
      for (const address of target.addresses) {
        if (!addresses.has(address)) addresses.set(address, target);
      }
    }
    return addresses;
  }

  /** The longest prefix first. */
  private blocks(): Block[] {
    const all = this.targets.flatMap((target) =>
      (target.blocks ?? []).map((block) => ({ range: readRange(block), target })),
    );
    const known = all.flatMap(({ range, target }) => (range === undefined ? [] : [{ range, target }]));
    return known.sort((a, b) => b.range.length - a.range.length);
  }

  /** Of TLS a block takes what names its host, as several hosts may have the same block. */
  private inBlock({ range, target }: Block): (readonly [Condition, Matcher_OnMatch])[] {
    if (target.serverName === undefined) return [[addressIn([range]), this.to(target)]];
    return byServerName(target).flatMap((rule) => this.choice.entry(rule, range));
  }

  private to(target: OutboundTarget): Matcher_OnMatch {
    if (target.mode === 'http') return this.http;
    return target.mode === 'tcp' ? this.opaque(target) : this.sniffed(this.opaque(target));
  }

  private opaque({ rules = [], chain = this.unknown }: OutboundTarget): Matcher_OnMatch {
    return this.choice.chooseFirst(rules, this.choice.choose(chain));
  }

  /** The protocols that a client offers in a TLS handshake look like those of sniffed HTTP, so TLS is set apart first. */
  private sniffed(opaque: Matcher_OnMatch): Matcher_OnMatch {
    const sniffed = matchSniffedHttp(this.http, opaque);
    return this.readsTls ? matchTls(opaque, sniffed) : sniffed;
  }

  /** Where no address is known: TLS by its name, HTTP by its look, and the rest to the first ServiceEntry that takes it. */
  private elsewhere(): Matcher_OnMatch {
    const anywhere = this.targets.filter((target) => target.anywhere);
    const tls = anywhere.filter(({ serverName }) => serverName !== undefined).flatMap(byServerName);
    const takers = anywhere.filter(({ serverName }) => serverName === undefined);
    const opaque = this.opaque({
      ...(takers[0] ?? NOTHING),
      rules: takers.flatMap(({ rules = [] }) => rules),
    });
    return this.choice.chooseFirst(tls, this.hasHttp ? this.sniffed(opaque) : opaque);
  }

  /** Where other addresses pass through as well, pods that do need not be told from them. */
  private namesPlainPods(): boolean {
    return (
      this.unknown.name !== PASSTHROUGH.name ||
      this.targets.some(({ anywhere, blocks, rules }) => anywhere || blocks !== undefined || rules !== undefined)
    );
  }
}

const NOTHING: OutboundTarget = { port: 0, addresses: [], mode: 'tcp' };

/** The target as a listener of its own has it. */
function atListener({ chain, boundChain, ...rest }: OutboundTarget): OutboundTarget {
  const own = boundChain === undefined ? chain : boundChain;
  return own === undefined || own === null ? rest : { ...rest, chain: own };
}

/** The chains of a TLS target where the address does not tell it from others. */
function byServerName({ rules = [], chain, serverName }: OutboundTarget): ConditionalChain[] {
  if (serverName === undefined) return [];
  return chain === undefined ? [...rules] : [...rules, { chain, serverNames: [serverName], subnets: [] }];
}

/** Whether the name in the handshake decides something. */
function needsServerName({ anywhere, blocks, rules = [], serverName }: OutboundTarget): boolean {
  return (
    serverName !== undefined &&
    (anywhere === true || blocks !== undefined || rules.some(({ serverNames }) => serverNames.length > 0))
  );
}
