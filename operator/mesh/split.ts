import type { CanarySide } from '../../api/canary-side.ts';
import type { CanaryFacts } from './canary.ts';
import { fixSide } from './fixed-side.ts';
import { byAge } from './mesh-object.ts';
import { matchSelector } from './selector.ts';
import type { ServiceFacts } from './service.ts';
import type { Endpoint, RevisionSplit } from './snapshot.ts';
import type { MeshTables } from './tables.ts';

/** An eligible endpoint before it is known on which side of a split it is. */
export interface Candidate {
  readonly endpoint: Endpoint;
  /** `namespace/Kind/name` of what its pod belongs to; absent when it is no pod. */
  readonly ownerKey?: string;
  /** Its pod is on its way out and serves yet: of use only where a side would be empty before callers have turned to the other. */
  readonly leaving?: true;
}

/** What becomes of a Service's endpoints under a Canary. */
export interface SplitResult {
  readonly split?: RevisionSplit;
  readonly endpoints: readonly Endpoint[];
}

/** The Canary that decides over a target: the oldest one that names it. */
export function matchTargetCanary(tables: MeshTables, target: string): CanaryFacts | undefined {
  const [oldest] = [...tables.canaries.select('target', target)].sort(byAge);
  return oldest;
}

/**
 * The Canary that splits a Service: its target has a pod that the Service selects, and it knows a stable revision. Of
 * several (a Service over several Deployments) the oldest, for a Service has one split.
 */
export function matchServiceCanary(tables: MeshTables, service: ServiceFacts): CanaryFacts | undefined {
  const decided = new Set<string>();
  const canaries = [...tables.canaries.select('namespace', service.namespace)].sort(byAge);
  for (const canary of canaries) {
    // The first Canary of a target in order of age speaks for it, the others are in conflict with it.
    if (decided.has(canary.target)) continue;
    decided.add(canary.target);
    if (canary.stable !== '' && selectsTarget(tables, service, canary.target)) return canary;
  }
  return undefined;
}

/**
 * Puts endpoints on the sides of a split, so that no side with weight is ever empty: without pods of the new revision that
 * serve all the stable side serves, `next` is absent and the weight 0; with no stable endpoint at all, `next` gets everything
 * if it was to get anything, else there is no split and every endpoint that is not held back serves. The last stable pod stays in sight until it has
 * ended: endpoints reach callers before the routes that no longer lead there.
 * @param side that the Service is the address of; undefined: it is shared out by the Canary
 */
export function buildSplit(
  canary: CanaryFacts | undefined,
  all: readonly Candidate[],
  side: CanarySide | undefined,
): SplitResult {
  const candidates = all.filter(({ leaving }) => !leaving);
  if (canary === undefined) return { endpoints: openOf(candidates) };
  const next = candidates
    .filter(({ endpoint, ownerKey }) => ownerKey === canary.target && isOf(canary.next, endpoint))
    .map(({ endpoint }) => endpoint);
  const shared = shareOut(canary, all, candidates, next);
  return side === undefined ? shared : fixSide(side, canary, shared, next);
}

function shareOut(
  canary: CanaryFacts,
  all: readonly Candidate[],
  candidates: readonly Candidate[],
  next: readonly Endpoint[],
): SplitResult {
  const stable = stableSide(canary, candidates);
  const split = { canary: canary.ref, stable: canary.stable };
  if (stable.length === 0) {
    if (next.length === 0 || canary.weight === 0) return { endpoints: openOf(candidates) };
    const leaving = all.filter(
      (one) => one.leaving && one.ownerKey === canary.target && isOf(canary.stable, one.endpoint),
    );
    const endpoints = [...leaving.map(({ endpoint }) => endpoint), ...next];
    return { split: { ...split, next: canary.next, weight: 100, asked: canary.weight }, endpoints };
  }
  if (next.length === 0 || !servesAllPorts(next, stable)) return { split: { ...split, weight: 0 }, endpoints: stable };
  const { weight, terms } = canary;
  return {
    split: { ...split, next: canary.next, weight, ...(terms === undefined ? {} : { terms }) },
    endpoints: [...stable, ...next],
  };
}

/**
 * The endpoints that serve what was released: the target's stable revision and others released before it, pods of other
 * owners, and endpoints that are no pods. Pods of the target that are ready although nobody released their revision (the
 * webhook was away) get nothing, unless there is nobody else.
 */
function stableSide(canary: CanaryFacts, candidates: readonly Candidate[]): Endpoint[] {
  const open = candidates.filter(({ endpoint }) => !endpoint.gated);
  const others = open.filter(({ endpoint, ownerKey }) => ownerKey !== canary.target || !isOf(canary.next, endpoint));
  const released = others.filter(
    ({ endpoint, ownerKey }) =>
      ownerKey !== canary.target || isOf(canary.stable, endpoint) || canary.released.includes(endpoint.revision),
  );
  const side = released.length > 0 ? released : others;
  return side.map(({ endpoint }) => ({ ...endpoint, revision: canary.stable }));
}

/** Who serves whatever no Canary decides over. */
function openOf(candidates: readonly Candidate[]): Endpoint[] {
  return candidates.map(({ endpoint }) => endpoint).filter(({ gated }) => !gated);
}

function isOf(revision: string, endpoint: Endpoint): boolean {
  return revision !== '' && endpoint.revision === revision;
}

function selectsTarget(tables: MeshTables, service: ServiceFacts, target: string): boolean {
  for (const { labels } of tables.pods.select('owner', target)) {
    if (matchSelector(service.selector, labels)) return true;
  }
  return false;
}

function servesAllPorts(next: readonly Endpoint[], stable: readonly Endpoint[]): boolean {
  const served = new Set(next.flatMap(({ ports }) => Object.keys(ports)));
  return stable.every(({ ports }) => Object.keys(ports).every((name) => served.has(name)));
}
