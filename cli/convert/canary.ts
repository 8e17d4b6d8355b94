import { CANARY_KIND, canarySpec, TARGET_KINDS } from '../../api/canary.ts';
import { HEDDLE_GROUP, HEDDLE_VERSION } from '../../api/heddle.ts';
import { convertAnalysis } from './analysis.ts';
import { carryMetadata, compact, type Manifest, type Notes } from './notes.ts';
import { noteRefusals } from './refusals.ts';
import { convertService } from './service.ts';

/** Fields of a Canary's spec that are dropped, and why nothing is lost. */
const DROPPED: Readonly<Record<string, string>> = {
  provider: 'dropped: Heddle is the mesh',
  metricsServer: 'dropped: the built-in metrics need no Prometheus; a MetricTemplate names the address of its own',
  autoscalerRef: 'dropped: no copy of the workload is made, so its autoscaler goes on as it is',
  ingressRef: 'dropped: traffic is split in the mesh, behind any ingress',
  routeRef: 'dropped: traffic is split in the mesh, behind any route',
  upstreamRef: 'dropped: traffic is split in the mesh, behind any gateway',
  revertOnDeletion: 'dropped: deleting a Canary gives back whatever was borrowed of its target, always',
};

const KEPT = ['progressDeadlineSeconds', 'skipAnalysis', 'suspend'];
const READ = new Set([...Object.keys(DROPPED), ...KEPT, 'targetRef', 'service', 'analysis', 'canaryAnalysis']);

/**
 * A Canary of Flagger as one of ours, with the Services and the rules that Flagger would have generated.
 * @param beside the MetricTemplates beside it, as text: they, too, may call the Services of its sides
 */
export function convertCanary(manifest: Manifest, notes: Notes, beside: string): Manifest[] {
  const spec = manifest.spec ?? {};
  for (const [field, sentence] of Object.entries(DROPPED)) if (field in spec) notes.add(`spec.${field}`, sentence);
  for (const field of Object.keys(spec)) if (!READ.has(field)) notes.add(`spec.${field}`, 'dropped: it is not known');
  const target = spec.targetRef as { kind?: string; name?: string } | undefined;
  const kind = target?.kind ?? 'Deployment';
  if (!TARGET_KINDS.some((known) => known === kind)) {
    notes.add('spec.targetRef.kind', `a ${kind} can't be released by Heddle; name one of ${TARGET_KINDS.join(', ')}`);
  }
  const { analysis, templates } = convertAnalysis(manifest, notes);
  const autoscaler = spec.autoscalerRef as { kind?: string } | undefined;
  if (autoscaler?.kind === 'ScaledObject') {
    notes.add(
      'spec.autoscalerRef.name',
      'take the annotation autoscaling.keda.sh/paused-replicas, which Flagger sets, from this ScaledObject, and delete the one that ends in -primary; a minReplicaCount of 1 or more keeps a pod to try a revision beside',
    );
  }
  // Without an analysis Flagger promotes at once.
  const isUntried = spec.analysis === undefined && spec.canaryAnalysis === undefined;
  const canary: Manifest = {
    apiVersion: `${HEDDLE_GROUP}/${HEDDLE_VERSION}`,
    kind: CANARY_KIND,
    metadata: carryMetadata(manifest),
    spec: compact({
      targetRef: { apiVersion: 'apps/v1', kind, name: target?.name },
      ...Object.fromEntries(KEPT.map((field) => [field, spec[field]])),
      ...(isUntried ? { skipAnalysis: true, analysis: { ...analysis, iterations: 1 } } : { analysis }),
    }),
  };
  noteRefusals(canarySpec, canary.spec, notes);
  const calling = `${JSON.stringify(spec.analysis ?? spec.canaryAnalysis ?? {})}\n${beside}`;
  return [canary, ...templates, ...convertService(manifest, notes, calling)];
}
