import { create } from '@bufbuild/protobuf';
import {
  type HeaderMatcher,
  HeaderMatcherSchema,
} from '../../generated/envoy/envoy/config/route/v3/route_components_pb.js';
import {
  type MetadataMatcher,
  MetadataMatcherSchema,
} from '../../generated/envoy/envoy/type/matcher/v3/metadata_pb.js';
import { type StringMatcher, StringMatcherSchema } from '../../generated/envoy/envoy/type/matcher/v3/string_pb.js';
import { type ValueMatcher, ValueMatcherSchema } from '../../generated/envoy/envoy/type/matcher/v3/value_pb.js';

/** A value of an AuthorizationPolicy: `abc`, `abc*`, `*abc`, or `*` for any that is not empty. */
export type ValuePattern =
  | { readonly kind: 'exact' | 'prefix' | 'suffix'; readonly text: string }
  | { readonly kind: 'present' };

/** Of any character, a line feed too. */
const ANYTHING = '(?s).+';

/** Reads a value in Istio's notation. */
export function readPattern(value: string): ValuePattern {
  if (value === '*') return { kind: 'present' };
  if (value.startsWith('*')) return { kind: 'suffix', text: value.slice(1) };
  if (value.endsWith('*')) return { kind: 'prefix', text: value.slice(0, -1) };
  return { kind: 'exact', text: value };
}

/** @param ignoreCase hosts are compared so */
export function matchText(pattern: ValuePattern, ignoreCase = false): StringMatcher {
  if (pattern.kind === 'present') return matchExpression(ANYTHING);
  return create(StringMatcherSchema, { matchPattern: { case: pattern.kind, value: pattern.text }, ignoreCase });
}

/** An expression of RE2, over the whole text. */
export function matchExpression(regex: string): StringMatcher {
  return create(StringMatcherSchema, { matchPattern: { case: 'safeRegex', value: { regex } } });
}

/** Text as an expression that matches it alone. */
export function quote(text: string): string {
  return text.replace(/[\\^$.*+?()[\]{}|]/g, '\\$&');
}

/** As an expression: a `*` of the notation is any text. */
export function expressionOf(pattern: ValuePattern, any: string): string {
  if (pattern.kind === 'present') return any.replace(/\*$/, '+');
  const text = quote(pattern.text);
  if (pattern.kind === 'prefix') return text + any;
  return pattern.kind === 'suffix' ? any + text : text;
}

/** Several headers of one name are compared as one, joined by commas (`proxy/runtime.ts`); `*` is for one that is not empty. */
export function matchHeader(name: string, pattern: ValuePattern, ignoreCase = false): HeaderMatcher {
  return headerMatcher(name, matchText(pattern, ignoreCase));
}

/**
 * A header that has the value, alone or in a list: so nobody gets past what is denied by a second value beside it, in a header of its own or in the
 * same one.
 */
export function matchHeaderList(name: string, pattern: ValuePattern): HeaderMatcher {
  if (pattern.kind === 'present') return matchHeader(name, pattern);
  return headerMatcher(name, matchExpression(listExpression(pattern)));
}

/** A value, alone or in a list that commas part, as an expression. */
export function listExpression(pattern: Exclude<ValuePattern, { kind: 'present' }>): string {
  const text = quote(pattern.text);
  const before = pattern.kind === 'suffix' ? '.*' : '(?:.*,)?[ \\t]*';
  const after = pattern.kind === 'prefix' ? '.*' : '[ \\t]*(?:,.*)?';
  return before + text + after;
}

function headerMatcher(name: string, value: StringMatcher): HeaderMatcher {
  return create(HeaderMatcherSchema, { name, headerMatchSpecifier: { case: 'stringMatch', value } });
}

/** A claim of a token: the text itself, or one of a list of texts. */
export function matchClaim(filter: string, path: readonly string[], matcher: StringMatcher): MetadataMatcher {
  const value = create(ValueMatcherSchema, {
    matchPattern: { case: 'orMatch', value: { valueMatchers: [text(matcher), listWith(matcher)] } },
  });
  return metadataMatcher(filter, path, value);
}

/** What another filter leaves in its metadata: `v` is for a text, `[v]` for a list of texts that has it (Istio). */
export function matchMetadata(filter: string, path: readonly string[], value: string): MetadataMatcher {
  const [, listed] = /^\[(.*)\]$/s.exec(value) ?? [];
  const matcher = matchText(readPattern(listed ?? value));
  return metadataMatcher(filter, path, listed === undefined ? text(matcher) : listWith(matcher));
}

function text(matcher: StringMatcher): ValueMatcher {
  return create(ValueMatcherSchema, { matchPattern: { case: 'stringMatch', value: matcher } });
}

function listWith(matcher: StringMatcher): ValueMatcher {
  return create(ValueMatcherSchema, {
    matchPattern: { case: 'listMatch', value: { matchPattern: { case: 'oneOf', value: text(matcher) } } },
  });
}

function metadataMatcher(filter: string, path: readonly string[], value: ValueMatcher): MetadataMatcher {
  const steps = path.map((key) => ({ segment: { case: 'key' as const, value: key } }));
  return create(MetadataMatcherSchema, { filter, path: steps, value });
}
