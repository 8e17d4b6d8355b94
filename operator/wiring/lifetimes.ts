import { durationMs } from '../../api/duration.ts';
import type { MeshConfig } from '../../api/mesh-config.ts';
import type { Lifetimes } from '../certificates/lifetimes.ts';

/** The lifetimes that the mesh's settings say, in ms. */
export function lifetimesFrom({ certificates }: MeshConfig): Lifetimes {
  return {
    rootMs: durationMs(certificates.rootLifetime),
    intermediateMs: durationMs(certificates.intermediateLifetime),
    workloadMs: durationMs(certificates.workloadLifetime),
    webhookMs: durationMs(certificates.webhookLifetime),
    xdsMs: durationMs(certificates.xdsLifetime),
    propagationMs: durationMs(certificates.trustPropagation),
    backdateMs: durationMs(certificates.backdate),
  };
}
