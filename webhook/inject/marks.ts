import {
  DNS_CAPTURE_ANNOTATION,
  METRICS_PAGE_ANNOTATION,
  REFUSAL_LOG_ANNOTATION,
  TLS_MODE_ISTIO,
  TLS_MODE_LABEL,
  TRACE_RESOURCE_ANNOTATION,
} from '../../api/pod-names.ts';
import { CANONICAL_NAME_LABEL, CANONICAL_REVISION_LABEL } from '../../proxy/annotations.ts';
import type { Canonical } from './workload.ts';

/** Labels and annotations of a pod that say what sidecar it has. */
export interface SidecarMarks {
  readonly labels: Readonly<Record<string, string>>;
  readonly annotations: Readonly<Record<string, string>>;
}

/**
 * What injection writes on a pod beside its status; `heddle uninject` takes away what stands here.
 * @param meshCapturesDns the sidecar answers DNS by the mesh's setting; where the pod itself asks for it, the annotation is its own
 */
export function sidecarMarks({ name, revision }: Canonical, meshCapturesDns: boolean): SidecarMarks {
  return {
    labels: {
      [TLS_MODE_LABEL]: TLS_MODE_ISTIO,
      [CANONICAL_NAME_LABEL]: name,
      [CANONICAL_REVISION_LABEL]: revision,
    },
    annotations: {
      [REFUSAL_LOG_ANNOTATION]: 'bounded',
      [TRACE_RESOURCE_ANNOTATION]: 'environment',
      [METRICS_PAGE_ANNOTATION]: 'overridden',
      // Told to the operator, whatever the mesh's setting becomes.
      ...(meshCapturesDns ? { [DNS_CAPTURE_ANNOTATION]: 'enabled' } : {}),
    },
  };
}
