import { afterAll, beforeAll } from '@jest/globals';
import { NODE_NAME } from '../../../hack/cluster/layout.ts';
import { addSecondNode, removeSecondNode, secondNodeCondition } from '../../../hack/cluster/second-node.ts';
import { testKubectl } from './cluster.ts';

interface Node {
  readonly metadata: { readonly name: string; readonly labels?: Readonly<Record<string, string>> };
  readonly spec: { readonly unschedulable?: boolean; readonly taints?: readonly unknown[] };
}

/** Names of two nodes; they are known once the tests begin. */
export interface TwoNodes {
  first: string;
  second: string;
}

const ZONE = 'topology.kubernetes.io/zone';
const report = (line: string): boolean => process.stderr.write(`test: ${line}\n`);

/**
 * Two nodes in different zones for the tests of this file. The local cluster gets its second one for them, unless it has one, and loses it
 * after them; a cluster of the user's own must have them.
 * @param images that pods on the second node may ask for
 */
export function useTwoNodes(images: readonly string[]): TwoNodes {
  const isLocal = process.env.HEDDLE_TEST_CONTEXT === undefined;
  const nodes: TwoNodes = { first: NODE_NAME, second: '' };
  let addedHere = false;
  beforeAll(async () => {
    if (!isLocal) {
      Object.assign(nodes, await twoOf());
      return;
    }
    addedHere = (await secondNodeCondition()) === 'absent';
    nodes.second = await addSecondNode({ images, report });
  }, 180_000);
  afterAll(async () => {
    if (addedHere) await removeSecondNode({ report });
  }, 120_000);
  return nodes;
}

async function twoOf(): Promise<TwoNodes> {
  const { items } = await testKubectl().json<{ items: readonly Node[] }>(['get', 'nodes']);
  const free = items.filter(({ spec }) => spec.unschedulable !== true && (spec.taints ?? []).length === 0);
  const [first, ...others] = free;
  const zoneOf = (node: Node | undefined): string | undefined => node?.metadata.labels?.[ZONE];
  const second = others.find((node) => zoneOf(node) !== undefined && zoneOf(node) !== zoneOf(first));
  if (first === undefined || second === undefined)
    throw new Error(`this file needs two nodes that take pods, with different labels ${ZONE}`);
  return { first: first.metadata.name, second: second.metadata.name };
}

/** A pod's spec that keeps it on a node. */
export const on = (nodeName: string): { podSpec: object } => ({
  podSpec: { nodeSelector: { 'kubernetes.io/hostname': nodeName } },
});
