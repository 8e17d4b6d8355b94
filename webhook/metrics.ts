import { Counter, Gauge, Histogram, Registry } from 'prom-client';

/** What the webhook counts. */
export interface WebhookMetrics {
  readonly registry: Registry;
  /** A review was answered after so many milliseconds. */
  observe(path: string, milliseconds: number): void;
  /** A request got an HTTP error. */
  rejected(code: number): void;
  /** A pod was injected, skipped or refused. */
  pod(outcome: string, reason: string): void;
  /** An object was judged. */
  judged(kind: string, outcome: 'accepted' | 'refused'): void;
  /** The serving certificate ends then. */
  certificate(notAfter: Date): void;
}

/** Counters of one process, in a registry of their own. */
export function createWebhookMetrics(): WebhookMetrics {
  const registry = new Registry();
  const registers = [registry];
  const duration = new Histogram({
    name: 'heddle_webhook_request_duration_seconds',
    help: 'Time from the end of the headers to the answer, by path.',
    labelNames: ['path'],
    buckets: [0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.5, 1, 5],
    registers,
  });
  const rejections = new Counter({
    name: 'heddle_webhook_rejected_requests_total',
    help: 'Requests that were no proper review, by HTTP status code.',
    labelNames: ['code'],
    registers,
  });
  const pods = new Counter({
    name: 'heddle_webhook_pods_total',
    help: 'Pods by outcome (injected, skipped, refused) and reason.',
    labelNames: ['outcome', 'reason'],
    registers,
  });
  const objects = new Counter({
    name: 'heddle_webhook_validations_total',
    help: 'Custom resources judged, by kind and outcome.',
    labelNames: ['kind', 'outcome'],
    registers,
  });
  const expiry = new Gauge({
    name: 'heddle_webhook_certificate_expiry_timestamp_seconds',
    help: 'When the serving certificate ends, as Unix time.',
    registers,
  });
  return {
    registry,
    observe: (path, milliseconds) => duration.observe({ path }, milliseconds / 1000),
    rejected: (code) => rejections.inc({ code }),
    pod: (outcome, reason) => pods.inc({ outcome, reason }),
    judged: (kind, outcome) => objects.inc({ kind, outcome }),
    certificate: (notAfter) => expiry.set(notAfter.getTime() / 1000),
  };
}
