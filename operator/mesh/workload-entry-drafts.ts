import { WORKLOAD_ENTRY_KIND } from '../../api/workload-entry.ts';
import type { DirtySet } from './dirty-set.ts';
import type { DraftContext, Drafts } from './drafts.ts';
import { buildWorkloadEntryView } from './workload-entry-view.ts';

/** Drafts the views of WorkloadEntries. What they serve is drafted with the Services and ServiceEntries that select them. */
export function draftWorkloadEntries(context: DraftContext, dirty: DirtySet, { policies }: Drafts): void {
  for (const key of dirty.workloadEntries) {
    const entry = context.tables.workloadEntries.get(key);
    policies.put(`${WORKLOAD_ENTRY_KIND}/${key}`, entry && buildWorkloadEntryView(context, entry));
  }
}
