import { createHash } from 'node:crypto';
import { targetsOf } from '../../api/authorization-policy-judgement.ts';
import { NO_KEYS, readJwkSet } from '../../api/jwk-set.ts';
import { jwksSourceOf } from '../../api/jwks-source.ts';
import {
  type JwtRule,
  REQUEST_AUTHENTICATION_KIND,
  type RequestAuthentication,
  type RequestAuthenticationSpec,
} from '../../api/request-authentication.ts';
import { judgeRequestAuthentication } from '../../api/request-authentication-judgement.ts';
import { type Attachable, EVERYWHERE, podsAbout } from './attachment.ts';
import type { IngestionTarget } from './ingestion.ts';
import { NO_TOKEN_KEYS, type TokenKeys, tokenKeys } from './jwks.ts';
import { creationTime, keyOf } from './mesh-object.ts';
import type { ObjectRef } from './object-ref.ts';
import type { MeshSettings, Problem } from './snapshot.ts';
import { invalidText } from './spec-problem.ts';
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
  const { namespace, name } = metadata;
  const ref: ObjectRef = { kind: REQUEST_AUTHENTICATION_KIND, namespace, name };
  const scope = namespace === settings.rootNamespace ? EVERYWHERE : namespace;
  const generation = metadata.generation ?? 0;
  const identity = { key: keyOf(metadata), ref, createdAt: creationTime(metadata), generation, scope };
  const { errors, spec } = judgeRequestAuthentication(json);
  const whom = spec ?? readWhom(json);
  const problem = (consequence: string): Problem[] => [
    { object: ref, condition: 'Accepted', reason: 'Invalid', message: invalidText(errors, consequence) },
  ];
  if (whom === undefined) {
    const problems = problem('Nobody can tell which pods it is about: it is not in force.');
    return { ...identity, selector: {}, targets: [], uris: [], problems };
  }
  const rules = spec === undefined ? [{ rule: {}, keys: NO_TOKEN_KEYS }] : (spec.jwtRules ?? []).map(readRule);
  return {
    ...identity,
    selector: whom.selector?.matchLabels ?? {},
    targets: targetsOf(whom).map((target) => `${namespace}/${target.name}`),
    rules: withDigest(ref, rules),
    uris: [...new Set(rules.flatMap(({ uri }: TokenRule) => (uri === undefined ? [] : [uri])))],
    problems: spec === undefined ? problem('Until it is mended it makes no token valid at the pods it is about.') : [],
  };
}

/** Its view, and the pods it may be about. */
export function markRequestAuthentication({ tables, dirty }: IngestionTarget, facts: RequestAuthenticationFacts): void {
  dirty.requestAuthentications.add(facts.key);
  for (const pod of podsAbout(tables, facts)) if (pod.injected) dirty.pods.add(pod.uid);
}

/** Whom a policy is about that can't be right otherwise. */
function readWhom(json: unknown): RequestAuthenticationSpec | undefined {
  if (typeof json !== 'object' || json === null) return undefined;
  const { selector, targetRef, targetRefs } = json as Record<string, unknown>;
  return judgeRequestAuthentication({ selector, targetRef, targetRefs }).spec;
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
  return { ref, rules, digest: createHash('sha256').update(text).digest('base64url').slice(0, 22) };
}
