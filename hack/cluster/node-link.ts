import type { ClusterNode } from './cluster-node.ts';
import { run, tryRun } from './command.ts';
import { forgetConnections } from './host.ts';
import { BRIDGE, NODE_ADDRESS } from './layout.ts';
import { inside } from './namespaces.ts';
import type { ProcessRecord } from './process-record.ts';

/** The link between the nodes: its end here, and its end at the second node. */
const LINK = 'heddle1';
const UPLINK = 'eth0';

/**
 * Gives a node in a network namespace of its own a bridge for its pods, and routes between it and this machine: each knows the other's
 * address as the way to the other's pods, and nothing is translated between them.
 * @param holder the process that holds the namespace
 */
export async function connectNode({ address, podPrefix }: ClusterNode, holder: ProcessRecord): Promise<void> {
  await run('ip', ['link', 'add', LINK, 'type', 'veth', 'peer', 'name', UPLINK, 'netns', `${holder.pid}`]);
  await run('ip', ['link', 'set', LINK, 'up']);
  await run('ip', ['route', 'replace', address, 'dev', LINK, 'src', NODE_ADDRESS]);
  await run('ip', ['route', 'replace', podPrefix, 'via', address, 'dev', LINK, 'src', NODE_ADDRESS]);
  const ip = (...args: string[]): Promise<string> => run(...inside(holder, 'ip', args));
  await ip('link', 'set', 'lo', 'up');
  await ip('link', 'add', BRIDGE, 'type', 'bridge');
  await ip('address', 'add', `${address}/${podPrefix.split('/')[1]}`, 'dev', BRIDGE);
  await ip('link', 'set', BRIDGE, 'up');
  await ip('link', 'set', UPLINK, 'up');
  await ip('route', 'add', NODE_ADDRESS, 'dev', UPLINK, 'src', address);
  await ip('route', 'add', 'default', 'via', NODE_ADDRESS, 'dev', UPLINK, 'src', address);
  // As for the first node (`createBridge`): both settings belong to the network namespace.
  for (const name of ['net/ipv4/ip_forward', 'net/bridge/bridge-nf-call-iptables'])
    await run(...inside(holder, 'tee', [`/proc/sys/${name}`]), { input: '1' });
}

/** Takes the link away, the routes that lead over it, and the connections that the kernel remembers for the node's pods. */
export async function disconnectNode({ podPrefix }: ClusterNode): Promise<void> {
  await tryRun('ip', ['link', 'delete', LINK]);
  await forgetConnections(podPrefix);
}
