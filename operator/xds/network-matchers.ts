import { create, type DescMessage } from '@bufbuild/protobuf';
import { StringValueSchema } from '@bufbuild/protobuf/wkt';
import {
  ApplicationProtocolInputSchema,
  DestinationIPInputSchema,
} from '../../generated/envoy/envoy/extensions/matching/common_inputs/network/v3/network_inputs_pb.js';
import { IpSchema } from '../../generated/envoy/envoy/extensions/matching/input_matchers/ip/v3/ip_pb.js';
import {
  type Matcher,
  Matcher_MatcherList_PredicateSchema,
  type Matcher_OnMatch,
  Matcher_OnMatchSchema,
  MatcherSchema,
} from '../../generated/envoy/xds/type/matcher/v3/matcher_pb.js';
import type { AddressRange } from './address-range.ts';
import { pack } from './encoding.ts';

const APPLICATION_PROTOCOLS = ["'http/1.0'", "'http/1.1'", "'h2c'"];

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
  if (ranges.length === 0) return otherwise;
  const blocks = ranges.map(({ prefix, length }) => ({ addressPrefix: prefix, prefixLen: length }));
  const matcher = create(IpSchema, { cidrRanges: blocks, statPrefix: 'services' });
  const predicate = create(Matcher_MatcherList_PredicateSchema, {
    matchType: {
      case: 'singlePredicate',
      value: {
        input: { name: 'address', typedConfig: pack(DestinationIPInputSchema, create(DestinationIPInputSchema)) },
        matcher: { case: 'customMatch', value: { name: 'ranges', typedConfig: pack(IpSchema, matcher) } },
      },
    },
  });
  return nested(
    create(MatcherSchema, {
      matcherType: { case: 'matcherList', value: { matchers: [{ predicate, onMatch: inside }] } },
      onNoMatch: otherwise,
    }),
  );
}

/** By what the HTTP inspector saw. */
export function matchSniffedHttp(http: Matcher_OnMatch, otherwise: Matcher_OnMatch): Matcher_OnMatch {
  const entries = APPLICATION_PROTOCOLS.map((protocol) => [protocol, http] as const);
  return nested(exactMatch('protocol', ApplicationProtocolInputSchema, entries, otherwise));
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
