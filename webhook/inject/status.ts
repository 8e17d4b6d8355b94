import { z } from 'zod';
import { INJECTION_STATUS_ANNOTATION } from '../../api/pod-names.ts';
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
});

/** What the status annotation says. */
export interface InjectionStatus {
  readonly version: string;
  readonly initContainers: readonly string[];
  readonly volumes: readonly string[];
  readonly probes: ProbeRecord;
}

/** Probes of an earlier pass; none when the annotation is absent. */
export function readKnownProbes(annotations: Readonly<Record<string, string>> | undefined): ProbeRecord | undefined {
  const text = annotations?.[INJECTION_STATUS_ANNOTATION];
  if (text === undefined) return {};
  try {
    return status.parse(JSON.parse(text)).probes as Record<string, OriginalProbe>;
  } catch {
    return undefined;
  }
}
