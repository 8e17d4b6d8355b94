import { HEDDLE_GROUP, HEDDLE_VERSION } from '../../api/heddle.ts';
import { METRIC_TEMPLATE_KIND } from '../../api/metric-template.ts';
import { carryMetadata, compact, type Manifest, type Notes } from './notes.ts';
import { serviceName } from './service.ts';
import { noteHook } from './side-services.ts';

/** Fields that mean the same here and there. */
const SAME = [
  ...['interval', 'threshold', 'iterations', 'maxWeight', 'stepWeight', 'stepWeights', 'stepWeightPromotion'],
  ...['mirror', 'mirrorWeight', 'match', 'webhooks', 'alerts', 'sessionAffinity'],
];
const MATCHED = ['headers', 'withoutHeaders', 'cookies', 'queryParams', 'sourceLabels'];
const WEIGHTS = ['maxWeight', 'stepWeight', 'stepWeights'];
const DROPPED: Readonly<Record<string, string>> = {
  primaryReadyThreshold: 'dropped: the old revision is kept whole until the verdict',
  canaryReadyThreshold: 'dropped: a weight waits until as many new pods are ready as it needs',
};
const BUILT_IN = ['request-success-rate', 'request-duration'];
/** Flagger's own where none is given. */
const DEFAULT_INTERVAL = '60s';
const DEFAULT_THRESHOLD = 1;

interface FlaggerMetric {
  name?: string;
  interval?: string;
  threshold?: number;
  thresholdRange?: { min?: number; max?: number };
  query?: string;
  templateRef?: { name?: string; namespace?: string };
  templateVariables?: Record<string, string>;
}

/** The analysis, and a MetricTemplate for each metric whose query stands in the Canary itself (as it did before v1beta1). */
export function convertAnalysis(manifest: Manifest, notes: Notes): { analysis: object; templates: Manifest[] } {
  const spec = manifest.spec ?? {};
  const field = 'canaryAnalysis' in spec ? 'canaryAnalysis' : 'analysis';
  const from = (spec[field] ?? {}) as Record<string, unknown>;
  const known = new Set([...SAME, ...Object.keys(DROPPED), 'metrics']);
  for (const name of Object.keys(from)) {
    const sentence = DROPPED[name] ?? (known.has(name) ? undefined : 'dropped: it is not known');
    if (sentence !== undefined) notes.add(`spec.${field}.${name}`, sentence);
  }
  const templates: Manifest[] = [];
  const metrics = ((from.metrics ?? []) as FlaggerMetric[]).map((metric, index) => {
    const { template, ...made } = convertMetric(manifest, metric, `spec.${field}.metrics[${index}]`, notes);
    if (template) templates.push(template);
    return made.metric;
  });
  const service = serviceName(manifest);
  for (const [index, hook] of ((from.webhooks ?? []) as object[]).entries()) {
    noteHook(hook, `spec.${field}.webhooks[${index}]`, service, notes);
  }
  const kept = compact(Object.fromEntries(SAME.map((name) => [name, from[name]])));
  const isAbTest = from.match !== undefined;
  const analysis = {
    interval: DEFAULT_INTERVAL,
    ...kept,
    threshold: Number(from.threshold) || DEFAULT_THRESHOLD,
    ...strategyOf(from),
    ...(isAbTest ? { match: convertMatches(from.match as object[], `spec.${field}.match`, notes) } : {}),
    ...(metrics.length === 0 ? {} : { metrics }),
  };
  if (isAbTest && from.iterations === undefined)
    notes.add(`spec.${field}.iterations`, 'give it: a test by match goes on for so many checks');
  return { analysis: compact(analysis), templates };
}

/** What Flagger passes over of several strategies: weights beside a match or iterations, and even steps beside a list. Blue/green is one switch. */
function strategyOf({ match, iterations, stepWeights }: Record<string, unknown>): Record<string, undefined> {
  const evenSteps = stepWeights === undefined ? [] : ['stepWeight', 'maxWeight'];
  const blueGreen = match === undefined ? ['stepWeightPromotion'] : [];
  const isCounted = match !== undefined || Number(iterations) > 0;
  const passedOver = isCounted ? [...WEIGHTS, ...blueGreen] : ['iterations', ...evenSteps];
  return Object.fromEntries(passedOver.map((name) => [name, undefined]));
}

function convertMatches(matches: readonly object[], path: string, notes: Notes): object[] {
  return matches.map((match, index) => {
    const others = Object.keys(match).filter((name) => !MATCHED.includes(name));
    for (const name of others) {
      notes.add(`${path}[${index}].${name}`, `dropped, so that more requests match: there are ${MATCHED.join(', ')}`);
    }
    return Object.fromEntries(Object.entries(match).filter(([name]) => !others.includes(name)));
  });
}

function convertMetric(manifest: Manifest, metric: FlaggerMetric, path: string, notes: Notes) {
  const { name = '', interval, threshold, thresholdRange, query, templateRef, templateVariables } = metric;
  const range = thresholdRange ?? rangeOf(name, threshold);
  if (range === undefined) notes.add(`${path}.thresholdRange`, 'give min, max or both');
  const made = { name, interval, thresholdRange: range, templateRef, templateVariables };
  if (query === undefined) return { metric: compact(made), template: undefined };
  if (BUILT_IN.includes(name)) {
    notes.add(`${path}.query`, `dropped: ${name} is built in`);
    return { metric: compact(made), template: undefined };
  }
  const template = templateOf(manifest, name, query, notes, path);
  return { metric: compact({ ...made, templateRef: { name: template.metadata?.name } }), template };
}

/** `threshold` is what the metric had before there was a range. */
function rangeOf(name: string, threshold: number | undefined) {
  if (threshold === undefined) return undefined;
  return name === 'request-success-rate' ? { min: threshold } : { max: threshold };
}

function templateOf(manifest: Manifest, metric: string, query: string, notes: Notes, path: string): Manifest {
  const address = (manifest.spec?.metricsServer as string | undefined) ?? 'http://prometheus.istio-system:9090';
  const name = `${manifest.metadata?.name}-${metric}`.toLowerCase().replaceAll(/[^a-z0-9.-]+/g, '-');
  notes.add(`${path}.query`, `stands in MetricTemplate ${name} now; see that its address ${address} is right`);
  const { labels: _labels, annotations: _annotations, ...metadata } = carryMetadata(manifest, name);
  const spec = { provider: { type: 'prometheus', address }, query };
  return { apiVersion: `${HEDDLE_GROUP}/${HEDDLE_VERSION}`, kind: METRIC_TEMPLATE_KIND, metadata, spec };
}
