import { CANARY_KIND, type Canary, type CanarySpec, canarySpec } from '../api/canary.ts';
import { sideProblem } from '../api/canary-side.ts';
import { HEDDLE_GROUP } from '../api/heddle.ts';
import { judgeOf } from './policy-judges.ts';
import type { AdmissionAnswer, AdmissionRequest } from './review.ts';
import { validateCanary } from './validate-canary.ts';
import { commandProblems, cycleProblems } from './validate-canary-control.ts';
import { canaryWarnings } from './validate-canary-steps.ts';

/** What validation asks of the cluster. */
export interface ClusterView {
  /** Whether a namespace is Heddle's business: it opted in, or is the root namespace. */
  readonly isOurs: (namespace: string) => boolean;
  /** Sentences about a Canary's target that is missing or unfit; empty when it is well or cannot be looked at. */
  readonly judgeTarget: (namespace: string, name: string, spec: CanarySpec) => Promise<readonly string[]>;
  /** Finds a Canary that is there, by `namespace/name`. */
  readonly findCanary: (key: string) => Canary | undefined;
}

/** Judges an object of ours, or of Istio's in a namespace of ours. Deletions and objects being deleted always pass. */
export async function validateObject(request: AdmissionRequest, cluster: ClusterView): Promise<AdmissionAnswer> {
  const { kind, object, namespace = '', operation } = request;
  const metadata = object?.metadata as { deletionTimestamp?: string } | undefined;
  // An object that is going may still lose its finalizers, whatever it says.
  if (!object || operation === 'DELETE' || metadata?.deletionTimestamp !== undefined) return {};
  if (kind.group === HEDDLE_GROUP && kind.kind === CANARY_KIND) {
    const refusal = toRefusal('Canary', request, validateCanary(object.spec));
    if (refusal.refusal) return refusal;
    const spec = object.spec as CanarySpec;
    const cycles = cycleProblems(namespace, request.name ?? '', spec, cluster.findCanary);
    const problems = [...commandProblems(object.metadata), ...cycles];
    if (problems.length > 0) return toRefusal('Canary', request, problems);
    const warnings = canaryWarnings(canarySpec.parse(object.spec));
    const told = await cluster.judgeTarget(namespace, request.name ?? '', spec);
    return { warnings: [...warnings, ...told] };
  }
  if (kind.group === '' && kind.kind === 'Service') {
    const problem = sideProblem(object);
    return toRefusal('Service', request, problem === undefined ? [] : [problem]);
  }
  const judge = judgeOf(kind);
  if (judge === undefined || (kind.group !== HEDDLE_GROUP && !cluster.isOurs(namespace))) return {};
  const { problems, warnings } = judge(object.spec);
  if (problems.length > 0) return toRefusal(kind.kind, request, problems);
  return warnings.length > 0 ? { warnings } : {};
}

function toRefusal(kind: string, { name, namespace }: AdmissionRequest, problems: readonly string[]): AdmissionAnswer {
  if (problems.length === 0) return {};
  return { refusal: `${kind} ${namespace ?? ''}/${name ?? ''}: ${problems.join('; ')}` };
}
