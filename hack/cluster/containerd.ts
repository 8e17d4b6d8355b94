import path from 'node:path';
import type { ClusterNode } from './cluster-node.ts';
import { BRIDGE, CNI_NETWORK, PAUSE_IMAGE, type StateLayout } from './layout.ts';

/** The folder of Debian's CNI plugins. */
export const CNI_PLUGINS = '/usr/lib/cni';

/**
 * containerd's configuration (version 2 of its format): everything it writes is below the state folder, network namespaces and
 * runc's state too, so that unmounting and deleting that folder leaves nothing.
 * @param snapshotter `overlayfs`, or `native` where overlays can't be mounted.
 */
export function containerdConfiguration(state: StateLayout, snapshotter: 'overlayfs' | 'native'): string {
  const cri = 'plugins."io.containerd.grpc.v1.cri"';
  return `version = 2
root = "${path.join(state.containerd, 'root')}"
state = "${path.join(state.containerd, 'state')}"

[debug]
  level = "warn"

[grpc]
  address = "${state.containerdSocket}"

[${cri}]
  sandbox_image = "${PAUSE_IMAGE}"
  restrict_oom_score_adj = true
  netns_mounts_under_state_dir = true
  max_concurrent_downloads = 3

[${cri}.containerd]
  snapshotter = "${snapshotter}"
  default_runtime_name = "runc"

[${cri}.containerd.runtimes.runc]
  runtime_type = "io.containerd.runc.v2"

[${cri}.containerd.runtimes.runc.options]
  SystemdCgroup = false
  Root = "${path.join(state.containerd, 'runc')}"

[${cri}.cni]
  bin_dir = "${CNI_PLUGINS}"
  conf_dir = "${path.join(state.cni, 'conf')}"
`;
}

/** The CNI network: pods on one bridge, addresses handed out by the host, hostPort through portmap. */
export function cniConfiguration({ podPrefix, state }: ClusterNode): object {
  return {
    cniVersion: '1.0.0',
    name: CNI_NETWORK,
    plugins: [
      {
        type: 'bridge',
        bridge: BRIDGE,
        isGateway: true,
        isDefaultGateway: true,
        // Lets a pod reach itself through its own Service.
        hairpinMode: true,
        ipMasq: false,
        ipam: {
          type: 'host-local',
          dataDir: path.join(state.cni, 'addresses'),
          ranges: [[{ subnet: podPrefix }]],
        },
      },
      { type: 'portmap', capabilities: { portMappings: true }, snat: true },
    ],
  };
}
