import { ANNOTATION_NAMES, readAnnotations } from '../../../proxy/annotations.ts';
import { sidecarMarks } from '../../../webhook/inject/marks.ts';
import { BEFORE_ANNOTATION } from '../../inject/before-injection.ts';
import { CHOICES_ANNOTATION, SETTINGS_ANNOTATION } from '../../install/customize.ts';
import type { Code } from '../codes.ts';
import { type Analyzer, refOf } from '../context.ts';
import type { AnyObject } from '../documents.ts';
import type { Finding } from '../message.ts';

/** Annotations that are read, and those that Heddle itself writes. */
const KNOWN: ReadonlySet<string> = new Set([
  ...ANNOTATION_NAMES,
  ...Object.keys(sidecarMarks({ name: '', revision: '' }, true).annotations),
  BEFORE_ANNOTATION,
  CHOICES_ANNOTATION,
  SETTINGS_ANNOTATION,
  'networking.istio.io/exportTo',
  'istio.io/dry-run',
  'sidecar.istio.io/inject',
  'heddle.dev/inject',
]);
const OURS = /^([-a-z0-9]+\.)*(istio\.io|heddle\.dev)\//;
/** By their groups: what Heddle writes, and Istio's installers. */
const WRITTEN = /^((sidecar|canary|proxy)\.heddle\.dev\/|(sidecar\.istio\.io\/status|istio\.io\/rev)$)/;

interface Templated extends AnyObject {
  readonly spec?: { readonly template?: { readonly metadata?: AnyObject['metadata'] } };
}

/** Annotations that nobody reads, on the wrong object, or with a value that can't be right. */
export const analyzeAnnotations: Analyzer = function* ({ objects }) {
  for (const object of objects as readonly Templated[]) {
    const template = object.spec?.template?.metadata?.annotations;
    const own = object.metadata?.annotations;
    if (template !== undefined) {
      for (const problem of podProblems(template)) yield toFinding(object, problem, 'spec.template.metadata');
    }
    if (own === undefined) continue;
    const isPod = object.kind === 'Pod';
    if (isPod) {
      for (const problem of podProblems(own)) yield toFinding(object, problem, 'metadata');
      continue;
    }
    for (const name of Object.keys(own)) {
      const place = { object: refOf(object), field: `metadata.annotations[${name}]` };
      if (ANNOTATION_NAMES.includes(name)) {
        yield { code: 'IST0107', ...place, message: `Misplaced annotation: ${name} can only be applied to Pod` };
      } else if (isUnknown(name)) {
        yield { code: 'IST0108', ...place, message: `Unknown annotation: ${name}` };
      }
    }
  }
};

function toFinding(object: AnyObject, { name, code, message }: AnnotationProblem, place: string): Finding {
  return { code, object: refOf(object), field: `${place}.annotations[${name}]`, message };
}

interface AnnotationProblem {
  readonly name: string;
  readonly code: Code;
  readonly message: string;
}

function podProblems(annotations: Readonly<Record<string, string>>): AnnotationProblem[] {
  return Object.keys(annotations).flatMap((name): AnnotationProblem[] => {
    const [problem] = readAnnotations({ [name]: annotations[name] ?? '' }).problems;
    if (problem !== undefined) return [{ name, code: 'IST0125', message: `Invalid annotation ${name}: ${problem}` }];
    return isUnknown(name) ? [{ name, code: 'IST0108', message: `Unknown annotation: ${name}` }] : [];
  });
}

function isUnknown(name: string): boolean {
  return OURS.test(name) && !KNOWN.has(name) && !WRITTEN.test(name);
}
