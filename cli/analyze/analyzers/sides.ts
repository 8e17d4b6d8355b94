import { CANARY_KIND, type Canary } from '../../../api/canary.ts';
import { SIDE_ANNOTATION, sideProblem } from '../../../api/canary-side.ts';
import { matchSelector } from '../../../operator/mesh/selector.ts';
import { type AnalysisContext, type Analyzer, refOf } from '../context.ts';
import type { AnyObject } from '../documents.ts';

interface Selecting extends AnyObject {
  readonly spec?: { readonly type?: string; readonly selector?: Readonly<Record<string, string>> };
}

interface Templated extends AnyObject {
  readonly spec?: {
    readonly template?: { readonly metadata?: { readonly labels?: Readonly<Record<string, string>> } };
  };
}

const FIELD = `metadata.annotations[${SIDE_ANNOTATION}]`;

/** Services that are to be the address of one side of a Canary, and can't be. */
export const analyzeSides: Analyzer = function* (context) {
  for (const object of context.objects as readonly Selecting[]) {
    const { annotations } = object.metadata ?? {};
    if (annotations?.[SIDE_ANNOTATION] === undefined) continue;
    const place = { object: refOf(object), field: FIELD };
    if (object.kind !== 'Service') {
      const message = `Misplaced annotation: ${SIDE_ANNOTATION} can only be applied to Service`;
      yield { code: 'IST0107', ...place, message };
      continue;
    }
    const problem = sideProblem({ metadata: { annotations }, ...(object.spec && { spec: object.spec }) });
    if (problem !== undefined) yield { code: 'IST0125', ...place, message: problem };
    else if (!isReleased(context, object)) {
      const message = `${FIELD}: no Canary of the namespace releases pods that the Service selects, so it has no effect: all of these pods take its requests`;
      yield { code: 'HED0001', ...place, message };
    }
  }
};

/** Whether a Canary's target has such pods; one whose target nobody knows may. */
function isReleased({ ofKind, find }: AnalysisContext, { metadata, spec }: Selecting): boolean {
  return ofKind<Canary & AnyObject>(CANARY_KIND).some((canary) => {
    const namespace = canary.metadata?.namespace ?? '';
    if (namespace !== metadata?.namespace) return false;
    const { kind = 'Deployment', name = '' } = canary.spec?.targetRef ?? {};
    const target = find(kind, namespace, name) as Templated | undefined;
    return target === undefined || matchSelector(spec?.selector ?? {}, target.spec?.template?.metadata?.labels ?? {});
  });
}
