import { Set as PersistentSet } from 'immutable';
import type { DraftContext } from './drafts.ts';
import { isJudged } from './policy-view.ts';
import type { PolicyReach, PolicyView } from './snapshot.ts';
import type { MeshTables } from './tables.ts';
import type { ConflictFinder } from './virtual-service-conflicts.ts';
import { nameSome } from './virtual-service-delegate.ts';
import type { VirtualServiceFacts } from './virtual-service-facts.ts';
import { findBrokenReferences } from './virtual-service-references.ts';
import type { RouteBuilder } from './virtual-service-routes.ts';
import { isVisibleTo } from './visibility.ts';

const NOBODY: PolicyReach = { kind: 'workloads', workloads: PersistentSet() };

/**
 * A VirtualService as its user should see it.
 * @returns undefined when it is in a namespace that is not ours to judge
 */
export function buildVirtualServiceView(
  context: DraftContext,
  facts: VirtualServiceFacts,
  routes: RouteBuilder,
  conflicts: ConflictFinder,
): PolicyView | undefined {
  const { ref, generation, role, visibility, notes } = facts;
  if (!isJudged(context, ref.namespace)) return undefined;
  const { settings, tables } = context;
  const roots = role === 'delegate' ? rootsOf(tables, facts) : [];
  const problems = [
    ...facts.problems,
    ...(routes.build(facts)?.problems ?? []),
    ...findBrokenReferences(settings, tables, facts),
    ...conflicts.find(facts),
  ];
  const view = { object: ref, generation, selected: 0, problems };
  switch (role) {
    case 'routes':
      return { ...view, reach: { kind: 'clients', visibility, labels: {} }, notes };
    case 'delegate':
      return { ...view, reach: reachOf(roots), notes: [...notes, noteRoots(roots)] };
    case 'gateways':
      return { ...view, reach: NOBODY, notes: [...notes, 'It is for gateways only, which Heddle does not serve yet.'] };
    case 'invalid':
      return { ...view, reach: NOBODY, notes };
  }
}

/** The VirtualServices that take the rules of a delegate in, in order of their names. */
function rootsOf(tables: MeshTables, { key, visibility }: VirtualServiceFacts): VirtualServiceFacts[] {
  const roots = [...tables.virtualServices.select('delegate', key)];
  return roots
    .filter(({ role, ref }) => role === 'routes' && isVisibleTo(visibility, ref.namespace))
    .sort((a, b) => (a.key < b.key ? -1 : 1));
}

/** Whoever sees one of the roots. */
function reachOf(roots: readonly VirtualServiceFacts[]): PolicyReach {
  if (roots.length === 0) return NOBODY;
  const namespaces = new Set<string>();
  for (const { visibility } of roots) {
    if (visibility === '*') return { kind: 'clients', visibility, labels: {} };
    for (const namespace of visibility) namespaces.add(namespace);
  }
  return { kind: 'clients', visibility: [...namespaces].sort(), labels: {} };
}

function noteRoots(roots: readonly VirtualServiceFacts[]): string {
  if (roots.length === 0) return 'It has no hosts, and no VirtualService delegates to it: it has no effect.';
  return `Its rules are part of ${nameSome(roots.map(({ key }) => key))}.`;
}
