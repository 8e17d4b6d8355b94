import type { V1Pod } from '@kubernetes/client-node';
import { INJECTION_LABEL } from '../../proxy/annotations.ts';
import { admitPod } from '../../webhook/inject/admission.ts';
import { decideInjection } from '../../webhook/inject/decision.ts';
import { injectPod } from '../../webhook/inject/mutate.ts';
import { asPod } from '../../webhook/inject/pod-shape.ts';
import type { InjectionSettings } from '../../webhook/inject/settings.ts';
import { BEFORE_ANNOTATION, noteBefore } from './before-injection.ts';
import { withNulls, withoutNulls } from './null-fields.ts';
import type { AnyObject } from './pod-template.ts';
import { isInjected, uninjectPod } from './uninject-pod.ts';

/** What became of a pod, or of a template of pods. */
export type TemplateOutcome =
  | { readonly outcome: 'injected'; readonly template: V1Pod; readonly warnings: readonly string[] }
  | { readonly outcome: 'skipped'; readonly message: string }
  | { readonly outcome: 'refused'; readonly problems: readonly string[] };

/**
 * Adds the sidecar to a pod or template of pods, as the webhook would to the pods made of it. One that is injected already is injected anew.
 * @param template of the object
 * @param object whose template it is; its kind and name stand for the pod's owner
 */
export async function injectTemplate(
  template: unknown,
  object: AnyObject,
  settings: InjectionSettings,
): Promise<TemplateOutcome> {
  const given = (template ?? {}) as V1Pod;
  const written = isInjected(given) ? uninjectPod(given) : given;
  const shaped = asPod(withoutNulls(written));
  if ('problem' in shaped) return { outcome: 'refused', problems: [shaped.problem] };
  const pod = asOwned(shaped.pod, object);
  const namespace = {
    name: object.metadata?.namespace ?? '',
    labels: { [INJECTION_LABEL]: 'enabled' },
    istioInstalled: false,
  };
  const decision = decideInjection(pod, namespace);
  if (decision.verdict === 'skip') return { outcome: 'skipped', message: decision.message };
  const { pod: injected, problems } = injectPod(pod, settings);
  const wrong = decision.verdict === 'refuse' ? [decision.message] : problems;
  if (wrong.length > 0) return { outcome: 'refused', problems: wrong };
  const admission = { settings, namespace, discovered: true, isGated: () => false };
  const { warnings } = await admitPod(pod, admission);
  return { outcome: 'injected', template: withNote(written, injected), warnings };
}

/** The template as a pod of its owner, whose name is the last that the canonical name comes from. */
function asOwned(template: V1Pod, { kind = '', metadata }: AnyObject): V1Pod {
  if (kind === 'Pod') return template;
  const name = metadata?.name ?? metadata?.generateName ?? '';
  const owner = { apiVersion: '', kind, name, uid: '', controller: true };
  return { ...template, metadata: { ...template.metadata, ownerReferences: [owner] } };
}

function withNote(written: V1Pod, injected: V1Pod): V1Pod {
  const { ownerReferences: _, ...metadata } = injected.metadata ?? {};
  const owners = written.metadata?.ownerReferences;
  const annotations = { ...metadata.annotations, [BEFORE_ANNOTATION]: JSON.stringify(noteBefore(written, injected)) };
  const result = {
    ...injected,
    metadata: { ...metadata, ...(owners ? { ownerReferences: owners } : {}), annotations },
  };
  return withNulls(result, written);
}
