import type { PolicyView, Problem } from '../../../operator/mesh/snapshot.ts';
import type { Code } from '../codes.ts';
import type { AnalysisContext, Analyzer } from '../context.ts';
import type { Finding } from '../message.ts';

/** Codes of what the mesh finds when it puts objects together, by the reason of their conditions. */
const CODES: Readonly<Record<string, Code>> = {
  DestinationNotFound: 'IST0101',
  PortNotFound: 'IST0101',
  SubsetNotFound: 'IST0101',
  DelegateInvalid: 'IST0101',
  OlderVirtualService: 'IST0109',
  OlderDestinationRule: 'HED0002',
  OlderPolicy: 'HED0002',
  OlderServiceEntry: 'HED0002',
  TargetClaimed: 'HED0002',
  NoKeys: 'HED0004',
  NotDiscovered: 'HED0003',
  SelectorInRootNamespace: 'IST0167',
};

/** What the conditions of objects say, or would say once they are applied. */
export const analyzeConditions: Analyzer = function* (context) {
  for (const view of context.snapshot.policies.values()) {
    for (const problem of view.problems) yield* problemFindings(context, problem);
    for (const note of view.notes) yield noteFinding(view, note);
    yield* unselecting(context, view);
  }
};

function* problemFindings({ find }: AnalysisContext, { object, reason, message }: Problem): Generator<Finding> {
  // Field by field the judges have said so.
  if (reason === 'Invalid') return;
  // The operator fetches keys, and writes down what it got; who has not asked can't tell.
  if (reason === 'NoKeys' && message.includes('not tried yet')) return;
  const [selecting, blanket] = OVERLAPS[`${object.kind} ${reason}`] ?? [];
  const spec = find(object.kind, object.namespace, object.name)?.spec;
  const own = isSelecting(spec) ? selecting : blanket;
  yield { code: own ?? CODES[reason] ?? 'HED0006', object, ...fieldOf(message), message };
}

/** Kinds of which Istio has codes for objects about the same pods, and for two that are about all. */
const OVERLAPS: Readonly<Record<string, readonly [selecting: Code, blanket: Code]>> = {
  'Sidecar OlderSidecar': ['IST0110', 'IST0111'],
  'Telemetry OlderPolicy': ['IST0159', 'IST0160'],
};

const SELECTORS = ['workloadSelector', 'selector', 'targetRef', 'targetRefs'];

function isSelecting(spec: unknown): boolean {
  return SELECTORS.some((field) => (spec as Record<string, unknown> | undefined)?.[field] !== undefined);
}

function noteFinding({ object, dryRun }: PolicyView, message: string): Finding {
  const code = noteCode(message);
  return { code, object, ...fieldOf(message), message: dryRun ? `(dry run) ${message}` : message };
}

function noteCode(message: string): Code {
  if (message.startsWith('spec.host: no service')) return 'IST0174';
  if (message.startsWith('spec.subsets: no endpoint')) return 'IST0173';
  if (/^spec\.\w+: names no provider/.test(message)) return 'IST0157';
  return /not in force|no effect|nothing is told|denied|503|can't/.test(message) ? 'HED0001' : 'HED0007';
}

/** A field in front, of which there may be more behind it. */
function fieldOf(message: string): { field?: string } {
  const field = /^((?:spec|metadata)[^\s:,]*)/.exec(message)?.[1];
  return field === undefined ? {} : { field };
}

/** Policies of workloads that select none; policies of callers are not counted. */
function* unselecting(
  { knowsPods, find }: AnalysisContext,
  { object, reach, selected, problems }: PolicyView,
): Generator<Finding> {
  if (!knowsPods || reach.kind !== 'workloads' || selected > 0 || problems.length > 0) return;
  const { kind, namespace, name } = object;
  const spec = find(kind, namespace, name)?.spec as { selector?: { matchLabels?: Record<string, string> } } | undefined;
  const labels = Object.entries(spec?.selector?.matchLabels ?? {});
  if (labels.length === 0) return;
  const text = labels.map(([label, value]) => `${label}=${value}`).join(',');
  yield {
    code: 'IST0127',
    object,
    field: 'spec.selector',
    message: `No matching workloads for this resource with the following labels: ${text}`,
  };
}
