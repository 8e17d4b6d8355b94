import { Set as PersistentSet } from 'immutable';
import type { CanaryFacts } from './canary.ts';
import type { MtlsDecision } from './mtls.ts';
import { listNames } from './name-list.ts';
import { isOurNamespace } from './namespace.ts';
import { namespacedName, type ObjectKey, type ObjectRef, objectKey } from './object-ref.ts';
import { buildScope, type PeerAuthenticationFacts } from './peer-authentication.ts';
import type { PolicyTally } from './policy-tally.ts';
import type { MeshSettings, PolicyView, Problem } from './snapshot.ts';
import { matchTargetCanary } from './split.ts';
import type { MeshTables } from './tables.ts';
import { noteUncaptured } from './uncaptured-note.ts';

/** Others that a condition names. */
const NAMED = 5;

/** What policies' views are built from. */
export interface PolicyContext {
  readonly settings: MeshSettings;
  readonly tables: MeshTables;
  readonly tally: PolicyTally;
  readonly mtls: ReadonlyMap<string, MtlsDecision>;
}

/** Whether policies of a namespace are ours to judge. */
export function isJudged({ settings, tables }: Pick<PolicyContext, 'settings' | 'tables'>, namespace: string): boolean {
  const injectedPods = tables.pods.find('injected', namespace).size > 0;
  return isOurNamespace(settings, namespace, tables.namespaces.get(namespace), injectedPods);
}

/**
 * A PeerAuthentication as its user should see it.
 * @returns undefined when it is in a namespace that is not ours to judge
 */
export function buildPeerAuthenticationView(
  context: PolicyContext,
  policy: PeerAuthenticationFacts,
): PolicyView | undefined {
  const { settings, tables, tally } = context;
  const { namespace } = policy.ref;
  if (!isJudged({ settings, tables }, namespace)) return undefined;
  const key = objectKey(policy.ref);
  const selective = Object.keys(policy.selector).length > 0;
  const misplaced = selective && namespace === settings.rootNamespace;
  const problems = [...policy.problems];
  if (misplaced) problems.push(selectorInRoot(policy, settings));
  if (!selective) problems.push(...findBlanketConflict(tables, policy, settings));
  for (const { winner, workloads } of tally.losses(key)) {
    problems.push(lostTo(policy.ref, 'spec.selector', winner, workloads));
  }
  return {
    object: policy.ref,
    generation: policy.generation,
    reach: { kind: 'workloads', workloads: tally.consulted(key) },
    selected: tally.selected(key),
    problems,
    notes: [...noteUncaptured(context, policy), ...noteSetAside(context, policy)],
  };
}

/** Younger ones that it is in force in place of: whoever reads one is to know that it is not alone. */
function noteSetAside({ tables, tally }: PolicyContext, policy: PeerAuthenticationFacts): string[] {
  if (Object.keys(policy.selector).length > 0) {
    const losers = tally.wins(objectKey(policy.ref)).map(namespacedName);
    return losers.length === 0 ? [] : [`Set aside where it selects the same pods: ${listNames(losers, NAMED)}.`];
  }
  const { blanket, ignored } = buildScope(tables.peerAuthentications.select('namespace', policy.ref.namespace));
  if (blanket?.key !== policy.key || ignored.length === 0) return [];
  const names = ignored.map(({ key }) => key);
  return [`Ignored beside it, as younger ones without a selector: ${listNames(names, NAMED)}.`];
}

/** A Canary: the injected pods of its target, and whether an older Canary has the target already. */
export function buildCanaryView({ tables }: PolicyContext, canary: CanaryFacts): PolicyView {
  const pods = [...tables.pods.select('owner', canary.target)].filter(({ injected }) => injected);
  const winner = matchTargetCanary(tables, canary.target);
  const problems: Problem[] = [];
  if (winner !== undefined && winner.key !== canary.key) {
    const message = `spec.targetRef: Canary ${winner.key} is older and releases the same target. Delete one of the two.`;
    problems.push({ object: canary.ref, condition: 'Conflicted', reason: 'TargetClaimed', message });
  }
  const workloads = PersistentSet(pods.map(({ uid }) => uid));
  return {
    object: canary.ref,
    generation: canary.generation,
    reach: { kind: 'workloads', workloads },
    selected: workloads.size,
    problems,
    notes: [],
  };
}

function selectorInRoot({ ref }: PeerAuthenticationFacts, { rootNamespace }: MeshSettings): Problem {
  const message =
    `spec.selector: in the root namespace ${rootNamespace} a PeerAuthentication is for the whole mesh, and one with a ` +
    'selector applies to nothing. Remove the selector, or move it to the namespace of the pods.';
  return { object: ref, condition: 'Accepted', reason: 'SelectorInRootNamespace', message };
}

function findBlanketConflict(
  tables: MeshTables,
  policy: PeerAuthenticationFacts,
  { rootNamespace }: MeshSettings,
): Problem[] {
  const { blanket } = buildScope(tables.peerAuthentications.select('namespace', policy.ref.namespace));
  if (blanket === undefined || blanket.key === policy.key) return [];
  const scope = policy.ref.namespace === rootNamespace ? 'mesh' : 'namespace';
  const message =
    `PeerAuthentication ${blanket.key} is older and speaks for the whole ${scope}; this one is ignored. ` +
    'Delete one of the two, or give this one a selector.';
  return [{ object: policy.ref, condition: 'Conflicted', reason: 'OlderPolicy', message }];
}

/**
 * An older policy of the same kind wins at some pods that this one selects as well.
 * @param field that of the selector
 */
export function lostTo(ref: ObjectRef, field: string, winner: ObjectKey, workloads: number): Problem {
  const name = namespacedName(winner);
  const pods = workloads === 1 ? '1 pod' : `${workloads} pods`;
  const message = `${field}: ${ref.kind} ${name} is older and selects ${pods} of the same; it wins there.`;
  return { object: ref, condition: 'Conflicted', reason: 'OlderPolicy', message };
}
