import { readOutboundCluster } from '../../operator/xds/names.ts';
import type { Facts } from './section.ts';

/** What the name of a cluster says of it. */
export function readClusterName(name: string): Facts & { readonly host: string; readonly revision: string } {
  const [direction, port = '', subset = '', host = '', revision = ''] = name.split('|');
  if (readOutboundCluster(name) !== undefined) {
    return { direction: 'outbound', port: Number(port), subset, host, hosts: [host], revision };
  }
  if (direction === 'inbound') return { direction: 'inbound', port: Number(port), host: '', hosts: [], revision: '' };
  return { host: name, hosts: [name], revision: '' };
}
