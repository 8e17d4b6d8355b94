import type { V1Pod } from '@kubernetes/client-node';
import { diff, type PatchOperation } from '../../webhook/inject/patch.ts';
import type { InjectionSettings } from '../../webhook/inject/settings.ts';
import { injectTemplate } from './inject-pod.ts';
import { invertPatch } from './invert-patch.ts';
import { findTemplates, objectTitle, type TemplatePlace, valueAt } from './pod-template.ts';
import { isInjected, uninjectPod } from './uninject-pod.ts';
import { editPart, splitStream, type YamlPart } from './yaml-stream.ts';

/** What became of one object. */
export interface ObjectReport {
  /** `Deployment shop/ui`. */
  readonly title: string;
  readonly outcome: 'injected' | 'uninjected' | 'unchanged' | 'skipped' | 'refused';
  /** Why, and what to know. */
  readonly notes: readonly string[];
}

export interface StreamEdit {
  readonly text: string;
  /** One for each object that makes pods. */
  readonly reports: readonly ObjectReport[];
}

/** What is to become of a template; `template` is absent where it stays. */
type Edit = (place: TemplatePlace, template: unknown) => Promise<ObjectReport & { readonly template?: V1Pod }>;

/**
 * Adds sidecars to all pods and templates of pods in a YAML stream. Other documents stay byte by byte.
 * @param file its name, for errors
 */
export function injectStream(text: string, file: string, settings: InjectionSettings): Promise<StreamEdit> {
  return editStream(text, file, async ({ object, path }, template) => {
    const title = objectTitle(object);
    const result = await injectTemplate(template, object, settings);
    if (result.outcome === 'skipped') return { title, outcome: 'skipped', notes: [result.message] };
    if (result.outcome === 'refused') {
      const at = path.filter((key) => typeof key === 'string' && key !== 'items').join('.');
      return { title, outcome: 'refused', notes: result.problems.map((problem) => `${at && `${at}.`}${problem}`) };
    }
    return { title, outcome: 'injected', notes: result.warnings, template: result.template };
  });
}

/** Takes sidecars out of all pods and templates of pods in a YAML stream; see `uninjectPod`. */
export function uninjectStream(text: string, file: string): Promise<StreamEdit> {
  return editStream(text, file, async ({ object }, template) => {
    const title = objectTitle(object);
    const pod = (template ?? {}) as V1Pod;
    if (!isInjected(pod)) return { title, outcome: 'skipped', notes: ['it has no sidecar of Heddle'] };
    return { title, outcome: 'uninjected', notes: [], template: uninjectPod(pod) };
  });
}

async function editStream(text: string, file: string, edit: Edit): Promise<StreamEdit> {
  const reports: ObjectReport[] = [];
  const texts: string[] = [];
  for (const part of splitStream(text, file)) texts.push(await editOne(part, edit, reports));
  return { text: texts.join(''), reports };
}

async function editOne(part: YamlPart, edit: Edit, reports: ObjectReport[]): Promise<string> {
  const operations: PatchOperation[] = [];
  let result = part.value;
  for (const place of findTemplates(part.value)) {
    const before = valueAt(part.value, place.path);
    const { template, ...report } = await edit(place, before);
    if (template === undefined) {
      reports.push(report);
      continue;
    }
    const pointer = place.path.map((key) => `/${key}`).join('');
    const changes = changesOf(before, template).map((change) => ({ ...change, path: pointer + change.path }));
    reports.push(changes.length === 0 ? { ...report, outcome: 'unchanged' } : report);
    operations.push(...changes);
    result = withValue(result, place.path, template);
  }
  return operations.length === 0 ? part.text : editPart(part, operations, result);
}

/** Of what is injected the other way round: a list that only lost elements is not written anew, with its comments. */
function changesOf(before: unknown, after: V1Pod): PatchOperation[] {
  return isInjected(after) ? diff(before, after) : invertPatch(after, diff(after, before));
}

/** A copy of a value with another one at a path. */
function withValue(value: unknown, [key, ...rest]: readonly (string | number)[], put: unknown): unknown {
  if (key === undefined) return put;
  const copy = Array.isArray(value) ? [...value] : { ...(value as object) };
  const holder = copy as Record<string | number, unknown>;
  holder[key] = withValue(holder[key], rest, put);
  return copy;
}
