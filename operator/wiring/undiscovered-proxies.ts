import { undiscoveredMessage } from '../../api/discovery.ts';
import type { AdsServer } from '../ads/server.ts';
import type { ClusterStores } from './cluster-stores.ts';

/**
 * Ends the streams of proxies whose namespace is not discovered any more, with the reason. That is before the snapshot is without them: each goes on
 * with the configuration that it has, rather than with one that lacks its inbound side.
 */
export function letUndiscoveredGo(
  stores: Pick<ClusterStores, 'discovery' | 'proxiesIn'>,
  ads: Pick<AdsServer, 'revoke'>,
): void {
  stores.discovery.onSwitch((namespace, discovered) => {
    if (discovered) return;
    for (const uid of stores.proxiesIn(namespace)) ads.revoke(uid, undiscoveredMessage(namespace));
  });
}
