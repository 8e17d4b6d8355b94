import fc from 'fast-check';
import { METRICS_PAGE_ANNOTATION } from '../../../api/pod-names.ts';
import type { MeshChange } from '../mesh-object.ts';
import { type PodOptions, pod } from './objects.ts';
import { maybe } from './optional.ts';

const index = fc.nat({ max: 3 });
const namespaces = fc.constantFrom('shop', 'other', 'heddle-system');

interface PodDraft {
  app: string;
  revision: string;
  injected: boolean;
  gated: boolean;
  deleting: boolean;
  node: string;
  named: boolean;
  /** Its sidecar's page of metrics shows everything. */
  isOld: boolean;
  place?: string | undefined;
}

const podOptions = fc.record<PodDraft>({
  app: fc.constantFrom('a', 'b'),
  revision: fc.constantFrom('r1', 'r2', 'r3'),
  injected: fc.boolean(),
  gated: fc.boolean(),
  deleting: fc.boolean(),
  node: fc.constantFrom('n1', 'n2'),
  named: fc.boolean(),
  isOld: fc.boolean(),
  place: maybe(fc.constant('eu.z3')),
});

const NEW_PAGE = { [METRICS_PAGE_ANNOTATION]: 'overridden' };

/** The incarnation is in the UID: a pod may be replaced by another of the same name without being seen to go. */
function podChange(namespace: string, i: number, life: number, options: PodDraft) {
  const { app, named, isOld, place, ...rest } = options;
  const made = pod(`p${i}`, {
    ...rest,
    namespace,
    uid: `${namespace}-p${i}-${life}`,
    address: `10.0.${life}.${i}`,
    deployment: app,
    labels: { app, tier: 'x', ...(place === undefined ? {} : { 'istio-locality': place }) },
    ports: [{ name: named ? 'web' : 'other', containerPort: 8000 + i }],
  } satisfies PodOptions);
  if (!isOld) made.metadata = { ...made.metadata, annotations: { ...made.metadata?.annotations, ...NEW_PAGE } };
  return made;
}

/** A pod that comes, changes or goes. */
export const podChanges = fc
  .tuple(namespaces, index, fc.nat({ max: 1 }), maybe(podOptions))
  .map(([namespace, i, life, options]): MeshChange => {
    const object = options && podChange(namespace, i, life, options);
    return { kind: 'Pod', key: `${namespace}/p${i}`, object };
  });
