import { existsSync } from 'node:fs';
import path from 'node:path';
import {
  controlGroupName,
  NODE_ADDRESS,
  NODE_NAME,
  NODE_ZONE,
  POD_PREFIX,
  SECOND_NODE_ADDRESS,
  SECOND_NODE_NAME,
  SECOND_NODE_ZONE,
  SECOND_POD_PREFIX,
  type StateLayout,
  stateLayout,
} from './layout.ts';

/** What tells a node of the cluster from another. */
export type ClusterNode = {
  readonly name: string;
  readonly zone: string;
  /** Its address, which is its pods' gateway too. */
  readonly address: string;
  readonly podPrefix: string;
  /** The control group that its pods live under. */
  readonly controlGroup: string;
  /** Where its files are. Those of the first node are beside those of the control plane. */
  readonly state: StateLayout;
};

/** The node that the control plane runs on, in the machine's own namespaces. @param state of the cluster */
export function firstNode(state: StateLayout): ClusterNode {
  const controlGroup = controlGroupName();
  return { name: NODE_NAME, zone: NODE_ZONE, address: NODE_ADDRESS, podPrefix: POD_PREFIX, controlGroup, state };
}

/** The node that may be added, in namespaces of its own. Its files are below those of the cluster. @param state of the cluster */
export function secondNode(state: StateLayout): ClusterNode {
  return {
    name: SECOND_NODE_NAME,
    zone: SECOND_NODE_ZONE,
    address: SECOND_NODE_ADDRESS,
    podPrefix: SECOND_POD_PREFIX,
    controlGroup: `${controlGroupName()}-2`,
    state: stateLayout(path.join(state.root, 'node-2')),
  };
}

/** The nodes that are there now, each with images of its own: the first, and the second if it was added. */
export function nodesWithImages(state: StateLayout): ClusterNode[] {
  const second = secondNode(state);
  return existsSync(second.state.containerdSocket) ? [firstNode(state), second] : [firstNode(state)];
}
