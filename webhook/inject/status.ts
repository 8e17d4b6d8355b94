import { z } from 'zod';
import { INJECTION_STATUS_ANNOTATION } from '../../api/pod-names.ts';
import type { ApplicationMetrics } from '../../proxy/application-metrics.ts';
import type { OriginalProbe, ProbeRecord } from '../../proxy/probes.ts';

/** Version of what is injected; raised when a sidecar of before should be told from one of now. */
export const INJECTION_VERSION = 'v1';

const probe = z.strictObject({
  type: z.enum(['http', 'https', 'tcp', 'grpc']),
  port: z.int().min(1).max(65_535),
  path: z.string().startsWith('/').optional(),
  periodSeconds: z.int().min(1).optional(),
  listenerPort: z.int().min(1).max(65_535).optional(),
  portName: z.string().optional(),
});

const status = z.object({
  version: z.string(),
  initContainers: z.array(z.string()),
  volumes: z.array(z.string()),
  /** The application's own probes, so that another pass of the webhook finds them again. */
  probes: z.record(z.string(), probe).default({}),
  /** The same of its metrics. */
  application: z
    .strictObject({
      port: z.int().min(1).max(65_535),
      path: z.string().startsWith('/'),
      scheme: z.enum(['http', 'https']),
    })
    .optional(),
  /** The mesh's setting has the sidecar answer DNS, so that the annotation that says so is not the pod's own. */
  meshCapturesDns: z.boolean().optional(),
});

/** What the status annotation says. */
export interface InjectionStatus {
  readonly version: string;
  readonly initContainers: readonly string[];
  readonly volumes: readonly string[];
  readonly probes: ProbeRecord;
  readonly application?: ApplicationMetrics;
  readonly meshCapturesDns?: boolean;
}

/** What an earlier pass found of the application's own, before it was pointed at the sidecar; and what of the pod is not its own. */
export interface KnownApplication {
  readonly probes: ProbeRecord;
  readonly application?: ApplicationMetrics | undefined;
  readonly meshCapturesDns?: boolean | undefined;
}

/** What an earlier pass found; nothing when the annotation is absent, and undefined when it is not what Heddle writes. */
export function readKnownApplication(
  annotations: Readonly<Record<string, string>> | undefined,
): KnownApplication | undefined {
  const text = annotations?.[INJECTION_STATUS_ANNOTATION];
  if (text === undefined) return { probes: {} };
  try {
    const { probes, application, meshCapturesDns } = status.parse(JSON.parse(text));
    return { probes: probes as Record<string, OriginalProbe>, application, meshCapturesDns };
  } catch {
    return undefined;
  }
}
