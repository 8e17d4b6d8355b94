import type { CustomResource } from './custom-resource.ts';
import { policyStatus } from './peer-authentication.ts';
import { AGE, STATE } from './printer-columns.ts';
import { TELEMETRY_GROUP, TELEMETRY_KIND, TELEMETRY_VERSIONS, telemetrySpec } from './telemetry.ts';

/** Istio's kind of how a mesh tells what happens in it. */
export const TELEMETRY_RESOURCE: CustomResource = {
  group: TELEMETRY_GROUP,
  kind: TELEMETRY_KIND,
  plural: 'telemetries',
  singular: 'telemetry',
  shortNames: ['telemetry'],
  categories: ['istio-io', 'telemetry-istio-io'],
  versions: TELEMETRY_VERSIONS,
  description: 'A Telemetry says which requests are logged and traced, where to, and what is counted of them.',
  spec: telemetrySpec,
  specRequired: false,
  status: policyStatus,
  columns: [...STATE, AGE],
  owner: 'istio',
};
