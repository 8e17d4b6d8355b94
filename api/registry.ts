import type { z } from 'zod';
import { CANARY_GROUP, CANARY_KIND, CANARY_VERSION, canarySpec, canaryStatus } from './canary.ts';
import {
  PEER_AUTHENTICATION_GROUP,
  PEER_AUTHENTICATION_KIND,
  PEER_AUTHENTICATION_VERSIONS,
  peerAuthenticationSpec,
  policyStatus,
} from './peer-authentication.ts';

/** A column of `kubectl get`. */
export interface PrinterColumn {
  readonly name: string;
  readonly type: 'string' | 'integer' | 'date';
  readonly jsonPath: string;
  readonly description: string;
  /** True: only with `-o wide`. */
  readonly wide?: boolean;
}

/** A custom resource as the CRD generator and the validating webhook see it. */
export interface CustomResource {
  readonly group: string;
  readonly kind: string;
  readonly plural: string;
  readonly singular: string;
  readonly shortNames: readonly string[];
  readonly categories: readonly string[];
  /** All served, with one schema; the first is stored. */
  readonly versions: readonly string[];
  readonly description: string;
  readonly spec: z.ZodType;
  readonly specRequired: boolean;
  readonly status: z.ZodType;
  readonly columns: readonly PrinterColumn[];
  /** `heddle`: comes and goes with Heddle. `istio`: Istio's own, applied only where it is absent, and left behind. */
  readonly owner: 'heddle' | 'istio';
}

const AGE: PrinterColumn = {
  name: 'Age',
  type: 'date',
  jsonPath: '.metadata.creationTimestamp',
  description: 'Time since it was created.',
};

const conditionStatus = (type: string, description: string): PrinterColumn => ({
  name: type,
  type: 'string',
  jsonPath: `.status.conditions[?(@.type=="${type}")].status`,
  description,
});

const canary: CustomResource = {
  group: CANARY_GROUP,
  kind: CANARY_KIND,
  plural: 'canaries',
  singular: 'canary',
  shortNames: ['cny'],
  categories: ['all', 'heddle'],
  versions: [CANARY_VERSION],
  description:
    'A Canary lets new revisions of a workload prove themselves on a share of its requests before they replace the old one.',
  spec: canarySpec,
  specRequired: true,
  status: canaryStatus,
  columns: [
    { name: 'Phase', type: 'string', jsonPath: '.status.phase', description: 'Where the release stands.' },
    {
      name: 'Weight',
      type: 'integer',
      jsonPath: '.status.weight',
      description: 'Percent of requests to the new revision.',
    },
    {
      name: 'Success',
      type: 'string',
      jsonPath: '.status.metrics.successRate',
      description: 'Success rate of the last check.',
    },
    { name: 'P99', type: 'string', jsonPath: '.status.metrics.p99', description: '99th percentile of the last check.' },
    {
      name: 'Requests',
      type: 'integer',
      jsonPath: '.status.metrics.requests',
      description: 'Requests of the last check.',
    },
    { name: 'Verdict', type: 'string', jsonPath: '.status.verdict', description: 'One word on the last check.' },
    {
      name: 'Target',
      type: 'string',
      jsonPath: '.spec.targetRef.name',
      description: 'Whose revisions are tried.',
      wide: true,
    },
    {
      name: 'Stable',
      type: 'string',
      jsonPath: '.status.stableRevision',
      description: 'Revision that serves.',
      wide: true,
    },
    {
      name: 'New',
      type: 'string',
      jsonPath: '.status.canaryRevision',
      description: 'Revision under analysis.',
      wide: true,
    },
    AGE,
  ],
  owner: 'heddle',
};

const peerAuthentication: CustomResource = {
  group: PEER_AUTHENTICATION_GROUP,
  kind: PEER_AUTHENTICATION_KIND,
  plural: 'peerauthentications',
  singular: 'peerauthentication',
  shortNames: ['pa'],
  categories: ['istio-io', 'security-istio-io'],
  versions: PEER_AUTHENTICATION_VERSIONS,
  description: 'A PeerAuthentication says whether connections to workloads must, may or do not use mutual TLS.',
  spec: peerAuthenticationSpec,
  specRequired: false,
  status: policyStatus,
  columns: [
    { name: 'Mode', type: 'string', jsonPath: '.spec.mtls.mode', description: 'Mode of all ports.' },
    conditionStatus('Accepted', 'Whether it is valid.'),
    conditionStatus('Programmed', 'Whether all proxies it is about have it in force.'),
    {
      name: 'Message',
      type: 'string',
      jsonPath: '.status.conditions[?(@.type=="Programmed")].message',
      description: 'On how many proxies it is in force.',
    },
    AGE,
  ],
  owner: 'istio',
};

/** Every custom resource Heddle has a CRD for. */
export const CUSTOM_RESOURCES: readonly CustomResource[] = [canary, peerAuthentication];
