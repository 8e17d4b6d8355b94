import { CANARY_KIND } from '../../api/canary.ts';
import { PEER_AUTHENTICATION_KIND } from '../../api/peer-authentication.ts';
import type { DirtySet } from './dirty-set.ts';
import type { DraftContext, Drafts } from './drafts.ts';
import { buildCanaryView, buildPeerAuthenticationView } from './policy-view.ts';

/** Drafts the views of PeerAuthentications and Canaries. */
export function draftPolicies(context: DraftContext, dirty: DirtySet, { policies }: Drafts): void {
  for (const key of dirty.peerAuthentications) {
    const facts = context.tables.peerAuthentications.get(key);
    policies.put(`${PEER_AUTHENTICATION_KIND}/${key}`, facts && buildPeerAuthenticationView(context, facts));
  }
  for (const key of dirty.canaries) {
    const facts = context.tables.canaries.get(key);
    policies.put(`${CANARY_KIND}/${key}`, facts && buildCanaryView(context, facts));
  }
}
