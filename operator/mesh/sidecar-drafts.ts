import { Set as PersistentSet } from 'immutable';
import { SIDECAR_KIND } from '../../api/sidecar.ts';
import type { DirtySet } from './dirty-set.ts';
import type { DraftContext, Drafts } from './drafts.ts';
import { namespacedName, objectKey } from './object-ref.ts';
import type { PodFacts } from './pod.ts';
import type { TalliedDecision } from './policy-tally.ts';
import { isJudged, lostTo } from './policy-view.ts';
import { blanketSidecar, type SidecarFacts, selectingSidecars } from './sidecar.ts';
import type { PolicyReach, PolicyView, Problem } from './snapshot.ts';
import type { MeshTables } from './tables.ts';

/** Drafts the scopes of Sidecars, and their views. */
export function draftSidecars(context: DraftContext, dirty: DirtySet, drafts: Drafts): void {
  const { tables, sidecarTally } = context;
  for (const uid of dirty.pods) {
    const pod = tables.podOf(uid);
    for (const key of sidecarTally.replace(uid, pod?.injected === true ? decide(tables, pod) : undefined)) {
      dirty.sidecars.add(namespacedName(key));
    }
  }
  for (const key of dirty.sidecars) {
    const name = `${SIDECAR_KIND}/${key}`;
    const facts = tables.sidecars.get(key);
    drafts.sidecars.put(name, facts?.scope);
    drafts.policies.put(name, facts && buildView(context, facts));
  }
}

/** Which of the Sidecars that select a pod wins there; undefined where none does. */
function decide(tables: MeshTables, pod: PodFacts): TalliedDecision | undefined {
  const [winner, ...losers] = selectingSidecars(tables, pod).map(({ ref }) => ref);
  if (winner === undefined) return undefined;
  const key = objectKey(winner);
  const others = losers.map(objectKey);
  return { effective: { policies: [winner] }, selecting: [key, ...others], losers: others, winner: key };
}

function buildView(context: DraftContext, sidecar: SidecarFacts): PolicyView | undefined {
  const { ref: object, generation, scope, problems, notes } = sidecar;
  if (!isJudged(context, object.namespace)) return undefined;
  const conflicts = scope === undefined ? [] : findConflicts(context, sidecar);
  return {
    object,
    generation,
    reach: reachOf(context, sidecar),
    selected: 0,
    problems: [...problems, ...conflicts],
    notes: [...notes, ...noteSelection(context, sidecar)],
  };
}

function reachOf({ settings, tables }: DraftContext, { key, ref, selector, scope }: SidecarFacts): PolicyReach {
  const { namespace } = ref;
  const selective = Object.keys(selector).length > 0;
  const loses = !selective && blanketSidecar(tables, namespace)?.key !== key;
  if (scope === undefined || loses) return { kind: 'workloads', workloads: PersistentSet() };
  const meshWide = !selective && namespace === settings.rootNamespace;
  return { kind: 'clients', visibility: meshWide ? '*' : [namespace], labels: selector };
}

function findConflicts(
  { settings, tables, sidecarTally }: DraftContext,
  { key, ref, selector }: SidecarFacts,
): Problem[] {
  const reason = 'OlderSidecar';
  if (Object.keys(selector).length > 0) {
    return sidecarTally.losses(objectKey(ref)).map(({ winner, workloads }) => ({
      ...lostTo(ref, 'spec.workloadSelector', winner, workloads),
      reason,
    }));
  }
  const winner = blanketSidecar(tables, ref.namespace);
  if (winner === undefined || winner.key === key) return [];
  const scope = ref.namespace === settings.rootNamespace ? 'mesh' : 'namespace';
  const message =
    `Sidecar ${winner.key} is older and speaks for the whole ${scope}; this one is ignored. ` +
    'Delete one of the two, or give this one a workloadSelector.';
  return [{ object: ref, condition: 'Conflicted', reason, message }];
}

function noteSelection({ sidecarTally }: DraftContext, { ref, selector }: SidecarFacts): string[] {
  if (Object.keys(selector).length === 0 || sidecarTally.selected(objectKey(ref)) > 0) return [];
  return [`spec.workloadSelector: no pod of namespace ${ref.namespace} with a sidecar has these labels at present.`];
}
