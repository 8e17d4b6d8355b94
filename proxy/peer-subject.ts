import { CANONICAL_NAME_LABEL, CANONICAL_REVISION_LABEL } from './annotations.ts';

/** What metrics say of a workload beside its namespace and identity; '' where it is not known. */
export interface WorkloadFacts {
  /** Name of what owns the pod. */
  readonly workload: string;
  readonly canonicalService: string;
  readonly canonicalRevision: string;
  readonly app: string;
  /** Label `version`. */
  readonly version: string;
}

/** The attribute of a subject that says it, as Envoy writes subjects (RFC 2253). */
export const SUBJECT_ATTRIBUTE = 'description';

/** @param labels of the pod as it is with its sidecar */
export function workloadFacts(workload: string, labels: Readonly<Record<string, string>>): WorkloadFacts {
  const canonicalService = labels[CANONICAL_NAME_LABEL] ?? '';
  return {
    workload,
    canonicalService,
    canonicalRevision: labels[CANONICAL_REVISION_LABEL] ?? '',
    app: appOf(labels, canonicalService),
    version: labels.version ?? '',
  };
}

/** What metrics say as `source_app` and `destination_app`, by Istio's order of labels (since 1.30). */
export function appOf(labels: Readonly<Record<string, string>>, canonicalService: string): string {
  return labels.app || labels['app.kubernetes.io/name'] || canonicalService;
}

/**
 * What the certificate of a workload says in its subject. So each end of a connection knows, for every request, what the other one is, and nobody can
 * say so who is not: only the operator signs, and only for a pod that showed its token. Characters that names of Kubernetes rarely have become `_`:
 * Envoy would write them in several ways.
 */
export function formatSubject({ workload, canonicalService, canonicalRevision, app, version }: WorkloadFacts): string {
  return [workload, canonicalService, canonicalRevision, app, version].map(plain).join('/');
}

/**
 * Reads the subject of a peer as Envoy gives it (tags `source_peer` and `destination_peer` of the sidecars' metrics).
 * @returns undefined when there is none of ours: no certificate, or one of another mesh
 */
export function readSubject(subject: string): WorkloadFacts | undefined {
  const [attribute, said] = subject.split('=');
  const parts = said?.split('/') ?? [];
  if (attribute !== SUBJECT_ATTRIBUTE || parts.length !== 5 || parts.some((part) => part !== plain(part))) {
    return undefined;
  }
  const [workload = '', canonicalService = '', canonicalRevision = '', app = '', version = ''] = parts;
  return { workload, canonicalService, canonicalRevision, app, version };
}

function plain(text: string): string {
  return text.slice(0, 253).replace(/[^A-Za-z0-9._-]/g, '_');
}
