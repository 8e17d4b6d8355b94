import { ALERT_PROVIDER_RESOURCE } from './alert-provider.ts';
import { CANARY_KIND, canarySpec } from './canary.ts';
import { canaryStatus } from './canary-status.ts';
import type { CustomResource } from './custom-resource.ts';
import { HEDDLE_GROUP, HEDDLE_VERSION } from './heddle.ts';
import { METRIC_TEMPLATE_RESOURCE } from './metric-template.ts';
import { NETWORKING_RESOURCES } from './networking-resources.ts';
import { AGE } from './printer-columns.ts';
import { RATE_LIMIT_POLICY_RESOURCE } from './rate-limit-resource.ts';
import { SECURITY_RESOURCES } from './security-resources.ts';
import { TELEMETRY_RESOURCE } from './telemetry-resource.ts';
import { trustRotation } from './trust-rotation.ts';

const canary: CustomResource = {
  group: HEDDLE_GROUP,
  kind: CANARY_KIND,
  plural: 'canaries',
  singular: 'canary',
  shortNames: ['cny'],
  categories: ['all', 'heddle'],
  versions: [HEDDLE_VERSION],
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

/** Every custom resource Heddle has a CRD for. */
export const CUSTOM_RESOURCES: readonly CustomResource[] = [
  canary,
  ALERT_PROVIDER_RESOURCE,
  METRIC_TEMPLATE_RESOURCE,
  RATE_LIMIT_POLICY_RESOURCE,
  trustRotation,
  TELEMETRY_RESOURCE,
  ...SECURITY_RESOURCES,
  ...NETWORKING_RESOURCES,
];
