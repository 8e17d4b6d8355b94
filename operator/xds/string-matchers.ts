import { create } from '@bufbuild/protobuf';
import { type RegexMatcher, RegexMatcherSchema } from '../../generated/envoy/envoy/type/matcher/v3/regex_pb.js';
import { type StringMatcher, StringMatcherSchema } from '../../generated/envoy/envoy/type/matcher/v3/string_pb.js';
import type { NamedMatch, StringMatch } from '../mesh/route-rule.ts';

/** Envoy's form of a match of text. */
export function buildStringMatcher({ kind, value }: StringMatch): StringMatcher {
  return create(StringMatcherSchema, {
    matchPattern: kind === 'regex' ? { case: 'safeRegex', value: buildRegexMatcher(value) } : { case: kind, value },
  });
}

/** An expression of RE2, over the whole text. */
export function buildRegexMatcher(regex: string): RegexMatcher {
  return create(RegexMatcherSchema, { regex });
}

/**
 * What the value of something named must be; undefined: it only has to be there. That is also what Istio takes the expression `*` for, though it
 * is none.
 */
export function valueMatch({ value }: NamedMatch): StringMatch | undefined {
  return value?.kind === 'regex' && value.value === '*' ? undefined : value;
}
