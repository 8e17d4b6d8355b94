import { NO_KEYS, readJwkSet } from '../../api/jwk-set.ts';
import { jwksSourceOf } from '../../api/jwks-source.ts';
import { readAim } from '../../api/policy-aim.ts';
import {
  type JwtRule,
  REQUEST_AUTHENTICATION_KIND,
  type RequestAuthentication,
} from '../../api/request-authentication.ts';
import { judgeRequestAuthentication } from '../../api/request-authentication-judgement.ts';
import { type Attachable, attachBy, podsAbout, readIdentity } from './attachment.ts';
import { digestOf } from './digest.ts';
import type { IngestionTarget } from './ingestion.ts';
import { NO_TOKEN_KEYS, type TokenKeys, tokenKeys } from './jwks.ts';
import type { ObjectRef } from './object-ref.ts';
import type { MeshSettings, Problem } from './snapshot.ts';
import { invalidSpec } from './spec-problem.ts';
import type { TokenRule, TokenRules } from './tokens.ts';

/** What the mesh reads of a RequestAuthentication. */
export interface RequestAuthenticationFacts extends Attachable {
  readonly createdAt: number;
  readonly generation: number;
  /** Absent when nobody can tell whom it is about. */
  readonly rules?: TokenRules;
  /** Where keys of it are fetched, without repetition. */
  readonly uris: readonly string[];
  readonly problems: readonly Problem[];
}

/**
 * Reads a RequestAuthentication, of any shape. One that can't be right got past admission; at the pods it is about it makes no token valid until it is
 * mended, so that nobody has a principal whom its user meant to have none.
 */
export function readRequestAuthentication(
  settings: MeshSettings,
  policy: RequestAuthentication,
): RequestAuthenticationFacts {
  const { metadata, spec: json } = policy;
  const identity = readIdentity(settings, REQUEST_AUTHENTICATION_KIND, metadata);
  const { ref } = identity;
  const { errors, spec } = judgeRequestAuthentication(json);
  const aim = spec ?? readAim(json);
  if (aim === undefined) {
    const problems = invalidSpec(ref, errors, 'Nobody can tell which pods it is about: it is not in force.');
    return { ...identity, selector: {}, targets: [], uris: [], problems };
  }
  const rules = spec === undefined ? [{ rule: {}, keys: NO_TOKEN_KEYS }] : (spec.jwtRules ?? []).map(readRule);
  return {
    ...identity,
    ...attachBy(metadata.namespace, aim),
    rules: withDigest(ref, rules),
    uris: [...new Set(rules.flatMap(({ uri }: TokenRule) => (uri === undefined ? [] : [uri])))],
    problems: invalidSpec(ref, errors, 'Until it is mended it makes no token valid at the pods it is about.'),
  };
}

/** Its view, and the pods it may be about. */
export function markRequestAuthentication({ tables, dirty }: IngestionTarget, facts: RequestAuthenticationFacts): void {
  dirty.requestAuthentications.add(facts.key);
  for (const pod of podsAbout(tables, facts)) if (pod.injected) dirty.pods.add(pod.uid);
}

function readRule(rule: JwtRule): TokenRule {
  const { jwks: _, ...rest } = rule;
  const source = jwksSourceOf(rule);
  if (source.kind === 'uri') return { rule: rest, uri: source.uri };
  return { rule: rest, keys: source.kind === 'inline' ? inlineKeys(source.text) : NO_TOKEN_KEYS };
}

function inlineKeys(text: string): TokenKeys {
  const set = readJwkSet(text, true);
  return tokenKeys(typeof set === 'string' ? NO_KEYS : set.text);
}

function withDigest(ref: ObjectRef, rules: readonly TokenRule[]): TokenRules {
  const text = JSON.stringify([ref, rules]);
  return { ref, rules, digest: digestOf(text) };
}
