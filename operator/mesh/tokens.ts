import type { JwtRule } from '../../api/request-authentication.ts';
import { findAttached } from './attachment.ts';
import { NO_TOKEN_KEYS, type TokenKeys } from './jwks.ts';
import type { ObjectRef } from './object-ref.ts';
import type { PodFacts } from './pod.ts';
import type { MeshTables } from './tables.ts';

/** Tokens of one issuer, with their keys or where these are fetched. */
export interface TokenRule {
  /** In Istio's terms, valid, and without the keys themselves. */
  readonly rule: JwtRule;
  readonly keys?: TokenKeys;
  readonly uri?: string;
}

/** The rules of one RequestAuthentication, shared by all workloads it is about. */
export interface TokenRules {
  readonly ref: ObjectRef;
  readonly rules: readonly TokenRule[];
  /** Equal for equal rules. */
  readonly digest: string;
}

/** A RequestAuthentication at work on a workload. */
export interface AttachedTokens {
  readonly rules: TokenRules;
  /** Of each rule; without any no token is valid by it. */
  readonly keys: readonly TokenKeys[];
  /** Ports it is about, of a policy with targets; absent: all. */
  readonly ports?: readonly number[];
}

/** RequestAuthentications that are about a pod, in order of their names; their rules hold beside each other (Istio). */
export function findTokens(tables: MeshTables, pod: PodFacts): AttachedTokens[] {
  return findAttached(tables, tables.requestAuthentications, pod).flatMap(({ facts: { rules }, ...more }) =>
    rules === undefined ? [] : [{ rules, keys: rules.rules.map((rule) => keysOf(tables, rule)), ...more }],
  );
}

function keysOf({ jwks }: MeshTables, { keys, uri = '' }: TokenRule): TokenKeys {
  return keys ?? jwks.get(uri)?.keys ?? NO_TOKEN_KEYS;
}
