import { Registry } from 'prom-client';
import type { Canary } from '../../../api/canary.ts';
import type { MemoryApi } from '../../../kube/testing/memory-api.ts';
import { eventually } from '../../../kube/testing/memory-api.ts';
import { createInstruments, type Instruments } from '../../../operator/ads/instruments.ts';
import { registerCanaryMetrics } from '../../../operator/canary/metrics.ts';
import {
  observationOf,
  podsOf,
  revisionOf,
  specOf,
  targetOf,
  traffic,
} from '../../../operator/canary/observation.fixture.ts';
import { nextStatus } from '../../../operator/canary/phase-machine.ts';
import { registerCertificateMetrics } from '../../../operator/certificates/metrics.ts';
import { Proxies, startLeader } from '../../../operator/certificates/testing/leader.ts';
import { buildSnapshot } from '../../../operator/mesh/mesh-builder.ts';
import { SETTINGS } from '../../../operator/mesh/testing/objects.ts';
import { registerOperatorMetrics } from '../../../operator/wiring/operator-metrics.ts';
import { keepRecords } from '../../../operator/wiring/traffic-records.ts';

/** The metrics page of an operator: all that its rooms register, with a Canary in the middle of its release. */
export class OperatorPage {
  readonly #registry = new Registry();
  readonly #instruments: Instruments;
  readonly #canary = releasing();
  readonly #canaries;

  private constructor(certificates: Parameters<typeof registerCertificateMetrics>[1]) {
    this.#instruments = createInstruments(this.#registry, { connected: 2, waiting: 0 });
    registerCertificateMetrics(this.#registry, certificates);
    const canaries = () => [this.#canary];
    this.#canaries = registerCanaryMetrics(this.#registry, canaries, () => true);
    const records = keepRecords(() => buildSnapshot(SETTINGS, []));
    registerOperatorMetrics(this.#registry, { queues: () => ({ mesh: { waiting: 1 } }), records, streams: () => 1 });
  }

  /** @param cleanups what ends it is added here */
  static async start(api: MemoryApi, cleanups: (() => unknown)[]): Promise<OperatorPage> {
    const leader = await startLeader(api, new Proxies(), cleanups);
    await eventually(() => leader.server.expiresAt !== undefined);
    return new OperatorPage(leader);
  }

  /** A push that was acknowledged and one that was not, a stream refused, and a check of the Canary; then the page. */
  async next(): Promise<string> {
    const { pushes, pushedBytes, resources, rejections, refused, acknowledgement } = this.#instruments;
    const type = 'Cluster';
    pushes.inc({ type }, 2);
    pushedBytes.inc({ type }, 2000);
    resources.inc({ type }, 20);
    rejections.inc({ type });
    refused.inc({ code: '16' });
    acknowledgement.observe({ type }, 0.02);
    this.#canaries.event(this.#canary, { type: 'Normal', reason: 'CheckPassed', message: '' });
    this.#canaries.answered(undefined);
    return this.#registry.metrics();
  }
}

/** A Canary after two checks. */
function releasing(): Canary {
  const spec = specOf({ stepWeights: [50] });
  const target = targetOf({ current: 'r2' }, revisionOf('r2', podsOf(4)));
  const start = Date.UTC(2026, 0, 1);
  let { status } = nextStatus(undefined, observationOf(targetOf()));
  for (const second of [0, 10]) {
    const more = { spec, now: start + second * 1000, traffic: () => traffic(100, 50) };
    status = nextStatus(status, observationOf(target, more)).status;
  }
  // As of a metric that is compared to the stable revision.
  const rounds = status.rounds?.map((round) => ({
    ...round,
    metrics: round.metrics?.map((metric) => ({ ...metric, stableValue: 100 })),
  }));
  const metadata = { name: 'orders', namespace: 'shop' };
  return {
    apiVersion: 'heddle.dev/v1alpha1',
    kind: 'Canary',
    metadata,
    spec,
    status: { ...status, rounds } as typeof status,
  };
}
