import type { KubeConfig } from '@kubernetes/client-node';
import { CONFIG_MAP, NAMESPACE } from '../../../kube/kinds.ts';
import type { KubeApi } from '../../../kube/kube-api.ts';
import type { KubeObject } from '../../../kube/object.ts';
import type { ResourceKind } from '../../../kube/resource-kind.ts';
import { MemoryApi } from '../../../kube/testing/memory-api.ts';
import type { Check, Finding } from '../check.ts';
import { CheckContext } from '../context.ts';
import { runChecks } from '../run-checks.ts';

export type Placed = [ResourceKind, KubeObject];

/** What a check says of a cluster with these objects. */
export async function findings(check: Check, ...objects: Placed[]): Promise<Finding[]> {
  const api = new MemoryApi();
  for (const [kind, object] of objects) await api.create(kind, { kind: kind.kind, ...object });
  const context = new CheckContext({ api: api as unknown as KubeApi, config: {} as KubeConfig });
  const [result] = await runChecks([check], context);
  return [...(result?.findings ?? [])];
}

/** Each finding as `level: message`. */
export const lines = (found: readonly Finding[]): string[] => found.map(({ level, message }) => `${level}: ${message}`);

export const namespace = (name: string, labels: Record<string, string> = {}): Placed => [
  NAMESPACE,
  { metadata: { name, labels } },
];

/** The mesh's settings. */
export const mesh = (text: string): Placed => [
  CONFIG_MAP,
  { metadata: { namespace: 'heddle-system', name: 'heddle-mesh' }, data: { 'mesh.yaml': text } } as KubeObject,
];
