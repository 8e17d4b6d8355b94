import { create, type DescMessage, type MessageInitShape } from '@bufbuild/protobuf';
import { StringValueSchema } from '@bufbuild/protobuf/wkt';
import {
  ApplicationProtocolInputSchema,
  DestinationIPInputSchema,
  ServerNameInputSchema,
  TransportProtocolInputSchema,
} from '../../generated/envoy/envoy/extensions/matching/common_inputs/network/v3/network_inputs_pb.js';
import { IpSchema } from '../../generated/envoy/envoy/extensions/matching/input_matchers/ip/v3/ip_pb.js';
import {
  type Matcher,
  type Matcher_MatcherList_Predicate,
  Matcher_MatcherList_PredicateSchema,
  type Matcher_OnMatch,
  Matcher_OnMatchSchema,
  MatcherSchema,
} from '../../generated/envoy/xds/type/matcher/v3/matcher_pb.js';
import type { AddressRange } from './address-range.ts';
import { pack } from './encoding.ts';

const APPLICATION_PROTOCOLS = ["'http/1.0'", "'http/1.1'", "'h2c'"];

/** Something that a connection has or has not. */
export type Condition = Matcher_MatcherList_Predicate;

/** Chooses the filter chain of that name. */
export function chooseChain(chain: string): Matcher_OnMatch {
  return create(Matcher_OnMatchSchema, {
    onMatch: {
      case: 'action',
      value: { name: chain, typedConfig: pack(StringValueSchema, create(StringValueSchema, { value: chain })) },
    },
  });
}

/** By the address the client connected to; without addresses, what is given for the others. */
export function matchAddress(addresses: ReadonlyMap<string, Matcher_OnMatch>, otherwise: Matcher_OnMatch): Matcher {
  if (addresses.size === 0) return create(MatcherSchema, { onNoMatch: otherwise });
  return exactMatch('address', DestinationIPInputSchema, [...addresses], otherwise);
}

/** By blocks of addresses; without any, what is given for the others. */
export function matchRanges(
  ranges: readonly AddressRange[],
  inside: Matcher_OnMatch,
  otherwise: Matcher_OnMatch,
): Matcher_OnMatch {
  return ranges.length === 0 ? otherwise : matchFirst([[addressIn(ranges), inside]], otherwise);
}

/** By the first condition that holds; without any, what is given for the others. */
export function matchFirst(
  entries: readonly (readonly [Condition, Matcher_OnMatch])[],
  otherwise: Matcher_OnMatch,
): Matcher_OnMatch {
  if (entries.length === 0) return otherwise;
  const matchers = entries.map(([predicate, onMatch]) => ({ predicate, onMatch }));
  return nested(
    create(MatcherSchema, { matcherType: { case: 'matcherList', value: { matchers } }, onNoMatch: otherwise }),
  );
}

/** By the whole server name of the TLS handshake; without any, what is given for the others. */
export function matchServerName(
  names: ReadonlyMap<string, Matcher_OnMatch>,
  otherwise: Matcher_OnMatch,
): Matcher_OnMatch {
  return names.size === 0 ? otherwise : nested(exactMatch('server_name', ServerNameInputSchema, [...names], otherwise));
}

/** By what the HTTP inspector saw. */
export function matchSniffedHttp(http: Matcher_OnMatch, otherwise: Matcher_OnMatch): Matcher_OnMatch {
  const entries = APPLICATION_PROTOCOLS.map((protocol) => [protocol, http] as const);
  return nested(exactMatch('protocol', ApplicationProtocolInputSchema, entries, otherwise));
}

/** By whether the TLS inspector saw TLS. */
export function matchTls(tls: Matcher_OnMatch, otherwise: Matcher_OnMatch): Matcher_OnMatch {
  return nested(exactMatch('transport', TransportProtocolInputSchema, [['tls', tls]], otherwise));
}

/** The address the client connected to is in one of the blocks. */
export function addressIn(ranges: readonly AddressRange[]): Condition {
  const blocks = ranges.map(({ prefix, length }) => ({ addressPrefix: prefix, prefixLen: length }));
  const matcher = create(IpSchema, { cidrRanges: blocks, statPrefix: 'services' });
  return holds('address', DestinationIPInputSchema, {
    case: 'customMatch',
    value: { name: 'ranges', typedConfig: pack(IpSchema, matcher) },
  });
}

/** The server name of the TLS handshake is one of these: exact, `*.` in front for all below, or `*` for any TLS. At least one. */
export function serverNameIn(hosts: readonly string[]): Condition {
  return combined(
    'orMatcher',
    hosts.map((host) =>
      host === '*'
        ? isText('transport', TransportProtocolInputSchema, 'exact', 'tls')
        : host.startsWith('*')
          ? isText('server_name', ServerNameInputSchema, 'suffix', host.slice(1))
          : isText('server_name', ServerNameInputSchema, 'exact', host),
    ),
  );
}

/** All of the conditions, of which there is at least one. */
export function allOf(conditions: readonly Condition[]): Condition {
  return combined('andMatcher', conditions);
}

function combined(how: 'andMatcher' | 'orMatcher', predicate: readonly Condition[]): Condition {
  const [only, ...others] = predicate;
  if (only !== undefined && others.length === 0) return only;
  return create(Matcher_MatcherList_PredicateSchema, {
    matchType: { case: how, value: { predicate: [...predicate] } },
  });
}

function isText(name: string, input: DescMessage, how: 'exact' | 'suffix', value: string): Condition {
  return holds(name, input, { case: 'valueMatch', value: { matchPattern: { case: how, value } } });
}

type MatchType = Exclude<MessageInitShape<typeof Matcher_MatcherList_PredicateSchema>['matchType'], undefined>;
type Single = Extract<MatchType, { case: 'singlePredicate' }>['value'];

function holds(name: string, input: DescMessage, matcher: NonNullable<Single['matcher']>): Condition {
  return create(Matcher_MatcherList_PredicateSchema, {
    matchType: {
      case: 'singlePredicate',
      value: { input: { name, typedConfig: pack(input, create(input)) }, matcher },
    },
  });
}

function nested(matcher: Matcher): Matcher_OnMatch {
  return create(Matcher_OnMatchSchema, { onMatch: { case: 'matcher', value: matcher } });
}

function exactMatch(
  name: string,
  input: DescMessage,
  entries: readonly (readonly [string, Matcher_OnMatch])[],
  otherwise: Matcher_OnMatch,
): Matcher {
  return create(MatcherSchema, {
    matcherType: {
      case: 'matcherTree',
      value: {
        input: { name, typedConfig: pack(input, create(input)) },
        treeType: { case: 'exactMatchMap', value: { map: Object.fromEntries(entries) } },
      },
    },
    onNoMatch: otherwise,
  });
}
