import { Counter, Gauge, type Registry } from 'prom-client';
import type { Canary } from '../../api/canary.ts';
import { CANARY_PHASES } from '../../api/canary-status.ts';
import type { CanaryEvent } from './draft.ts';

/** What is told of Canaries as it happens. */
export interface CanaryMetrics {
  readonly event: (canary: Canary, event: CanaryEvent) => void;
  /** @param reason why a MetricTemplate gave no value; undefined: it gave one */
  readonly answered: (reason: string | undefined) => void;
}

const LABELS = ['namespace', 'canary'] as const;

type Labels = Record<(typeof LABELS)[number], string>;

/**
 * Registers `heddle_canary_*`: where each release stands and what its last check came to. Only the leader tells of Canaries, so that sums over replicas are right.
 * @param canaries all there are
 */
export function registerCanaryMetrics(
  registry: Registry,
  canaries: () => Iterable<Canary>,
  isLeader: () => boolean,
): CanaryMetrics {
  const registers = [registry];
  const shown = () => (isLeader() ? [...canaries()].filter(({ status }) => status?.phase !== undefined) : []);
  const labelsOf = ({ metadata }: Canary) => ({ namespace: metadata.namespace, canary: metadata.name });
  const gauge = (name: string, help: string, value: (canary: Canary) => number) =>
    new Gauge({
      name,
      help,
      labelNames: LABELS,
      registers,
      collect() {
        this.reset();
        for (const canary of shown()) this.set(labelsOf(canary), value(canary));
      },
    });
  gauge(
    'heddle_canary_weight',
    'Percent of the requests that go to the new revision.',
    ({ status }) => status?.weight ?? 0,
  );
  gauge(
    'heddle_canary_failed_checks',
    'Checks that failed in this release.',
    ({ status }) => status?.failedChecks ?? 0,
  );
  new Gauge({
    name: 'heddle_canary_phase',
    help: 'Phase of the release: 1 for the present one.',
    labelNames: [...LABELS, 'phase'],
    registers,
    collect() {
      this.reset();
      for (const canary of shown()) {
        for (const phase of CANARY_PHASES)
          this.set({ ...labelsOf(canary), phase }, canary.status?.phase === phase ? 1 : 0);
      }
    },
  });
  registerRound(registry, shown, labelsOf);
  return counters(registry, labelsOf, canaries);
}

function registerRound(registry: Registry, shown: () => readonly Canary[], labelsOf: (canary: Canary) => object): void {
  const registers = [registry];
  new Gauge({
    name: 'heddle_canary_metric',
    help: 'Value of a metric in the last check, in its own unit.',
    labelNames: [...LABELS, 'metric', 'revision'],
    registers,
    collect() {
      this.reset();
      for (const canary of shown()) {
        for (const { name, value, stableValue } of canary.status?.rounds?.[0]?.metrics ?? []) {
          const labels = { ...labelsOf(canary), metric: name };
          if (value !== undefined) this.set({ ...labels, revision: 'canary' }, value);
          if (stableValue !== undefined) this.set({ ...labels, revision: 'stable' }, stableValue);
        }
      }
    },
  });
  new Gauge({
    name: 'heddle_canary_metric_evidence',
    help: 'Odds against the revision in the last check, as a share of those at which it fails.',
    labelNames: [...LABELS, 'metric'],
    registers,
    collect() {
      this.reset();
      for (const canary of shown()) {
        for (const { name, evidence, evidenceNeeded } of canary.status?.rounds?.[0]?.metrics ?? []) {
          if (evidence === undefined || evidenceNeeded === undefined) continue;
          this.set({ ...labelsOf(canary), metric: name }, evidence / evidenceNeeded);
        }
      }
    },
  });
}

function counters(
  registry: Registry,
  labelsOf: (canary: Canary) => Labels,
  canaries: () => Iterable<Canary>,
): CanaryMetrics {
  const registers = [registry];
  /** By Canary, its labels and the reasons that were counted. */
  const told = new Map<string, { readonly labels: Labels; readonly reasons: Set<string> }>();
  const keyOf = ({ metadata }: Canary): string => `${metadata.namespace}/${metadata.name}`;
  const events = new Counter({
    name: 'heddle_canary_events_total',
    help: 'Events of Canaries by reason, checks that passed or failed among them.',
    labelNames: [...LABELS, 'reason'],
    registers,
    // Where namespaces come and go, those of Canaries that are deleted would be ever more.
    collect() {
      const there = new Set([...canaries()].map(keyOf));
      for (const [key, { labels, reasons }] of told) {
        if (there.has(key)) continue;
        told.delete(key);
        for (const reason of reasons) this.remove({ ...labels, reason });
      }
    },
  });
  const queries = new Counter({
    name: 'heddle_canary_template_queries_total',
    help: 'Answers of MetricTemplates by what they came to: Value, or why there was none.',
    labelNames: ['result'],
    registers,
  });
  return {
    event: (canary, { reason }) => {
      const { labels, reasons } = told.get(keyOf(canary)) ?? { labels: labelsOf(canary), reasons: new Set<string>() };
      told.set(keyOf(canary), { labels, reasons: reasons.add(reason) });
      events.inc({ ...labels, reason });
    },
    answered: (reason = 'Value') => queries.inc({ result: reason }),
  };
}
