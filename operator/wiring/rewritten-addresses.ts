import { type BlockList, isIP } from 'node:net';
import type { ReadStore } from '../../kube/store.ts';
import { blockList, isWithin } from '../outward/destination.ts';
import type { Node } from './cluster-stores.ts';

/**
 * Addresses that connections of a pod may come from whose own the network has rewritten: those of its node (its own, and those of its bridges and tunnels,
 * which are of the range of its pods), and those that the settings name.
 */
export class RewrittenAddresses {
  private readonly nodes: Pick<ReadStore<Node>, 'get'>;
  private readonly named: BlockList;
  private readonly ofNode = new WeakMap<Node, BlockList>();

  /** @param named addresses, or blocks of them */
  constructor(nodes: Pick<ReadStore<Node>, 'get'>, named: readonly string[]) {
    this.nodes = nodes;
    this.named = blockList(named);
  }

  /** @param node of the pod, by name */
  has(address: string, node: string): boolean {
    const found = this.nodes.get(node);
    return isWithin(address, this.named) || (found !== undefined && isWithin(address, this.blocksOf(found)));
  }

  private blocksOf(node: Node): BlockList {
    const known = this.ofNode.get(node);
    if (known !== undefined) return known;
    const addresses = (node.status?.addresses ?? []).map(({ address }) => address).filter((one) => isIP(one) !== 0);
    const blocks = blockList([...addresses, ...(node.spec?.podCIDRs ?? [])]);
    this.ofNode.set(node, blocks);
    return blocks;
  }
}
