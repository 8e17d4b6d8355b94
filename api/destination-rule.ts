import { z } from 'zod';
import { checkExportTo, checkLabels, type Findings, isDnsLabel, isHostOrWildcard } from './field-check.ts';
import type { FieldProblem, JudgedSpec } from './field-problem.ts';
import type { PolicyStatus } from './peer-authentication.ts';
import { judgeSpec } from './spec-reader.ts';
import { checkTrafficPolicy, trafficPolicy } from './traffic-policy.ts';

export const DESTINATION_RULE_KIND = 'DestinationRule';

const subset = z.object({
  name: z.string().describe('Name of the subset, for the routes of VirtualServices.'),
  labels: z.record(z.string(), z.string()).optional().describe('Labels of its endpoints. Without any: all endpoints.'),
  trafficPolicy: trafficPolicy.optional().describe('What is different for it.'),
});

/** `networking.istio.io` DestinationRule, field for field. It checks types and enums, as Istio's CRD does; the rest is {@link judgeDestinationRule}'s. */
export const destinationRuleSpec = z.object({
  host: z.string().describe('Service: short name in the namespace of the rule, full name, or wildcard.'),
  trafficPolicy: trafficPolicy.optional().describe('How the host is called.'),
  subsets: z.array(subset).optional().describe('Named parts of its endpoints, such as versions.'),
  exportTo: z.array(z.string()).optional().describe('Namespaces it is for: "." its own, "*" all, as when left out.'),
  workloadSelector: z
    .object({ matchLabels: z.record(z.string(), z.string()).optional().describe('Labels the pods must have.') })
    .optional()
    .describe('Pods of its namespace that call by this rule. Without it: all that it is exported to.'),
});

export type Subset = z.infer<typeof subset>;
export type DestinationRuleSpec = z.infer<typeof destinationRuleSpec>;

export interface DestinationRule {
  apiVersion: string;
  kind: string;
  metadata: { name: string; namespace: string; uid?: string; generation?: number; creationTimestamp?: string };
  spec?: DestinationRuleSpec;
  status?: PolicyStatus;
}

/** Each subset is one cluster more in the sidecars that call the host, for each of its ports. */
const MAX_SUBSETS = 4096;

/**
 * Says what can't be right with a DestinationRule, and what is dubious, as far as it can be told from the object alone.
 * @param json its spec, of any shape
 */
export function judgeDestinationRule(json: unknown): JudgedSpec<DestinationRuleSpec> {
  return judgeSpec(destinationRuleSpec, json, checkSpec);
}

function checkSpec(found: Findings, spec: DestinationRuleSpec): void {
  if (!isHostOrWildcard(spec.host)) {
    found.error(
      'spec.host',
      `must be the name of a Service such as "reviews" or "reviews.prod.svc.cluster.local", or a wildcard, and is "${spec.host}"`,
    );
  }
  if (spec.trafficPolicy !== undefined) checkTrafficPolicy(found, 'spec.trafficPolicy', spec.trafficPolicy);
  checkSubsets(found, spec.subsets ?? []);
  checkExportTo(found, spec.exportTo);
  if (spec.workloadSelector !== undefined) checkSelector(found, spec);
  found.warnings.push(...unsupportedDestinationRuleFields(spec));
}

const NO_TUNNEL =
  'is not in force: Heddle does not tunnel connections through other hosts; they go to the host as they are';
const NO_UPGRADE =
  'is in force towards hosts without a sidecar only: between sidecars requests travel in the version of HTTP that the client speaks, ' +
  'which is what the application gets';

function checkSubsets(found: Findings, subsets: readonly Subset[]): void {
  if (subsets.length > MAX_SUBSETS) {
    found.error('spec.subsets', `must have at most ${MAX_SUBSETS} entries, and has ${subsets.length}`);
    return;
  }
  const names = new Set<string>();
  for (const [index, { name, labels, trafficPolicy: policy }] of subsets.entries()) {
    const field = `spec.subsets[${index}]`;
    if (!isDnsLabel(name)) found.error(`${field}.name`, `must be a DNS label such as "v1", and is "${name}"`);
    if (names.has(name)) found.error(`${field}.name`, `must not be "${name}" again; subsets have names of their own`);
    names.add(name);
    checkLabels(found, `${field}.labels`, labels);
    if (policy !== undefined) checkTrafficPolicy(found, `${field}.trafficPolicy`, policy);
  }
}

function checkSelector(found: Findings, { workloadSelector, exportTo = [] }: DestinationRuleSpec): void {
  const labels = workloadSelector?.matchLabels ?? {};
  checkLabels(found, 'spec.workloadSelector.matchLabels', labels);
  if (Object.keys(labels).length === 0)
    found.warn('spec.workloadSelector', 'has no labels, and so selects every pod of the namespace');
  if (exportTo.length > 1 || exportTo.includes('*')) {
    found.error(
      'spec.exportTo',
      'must be "." or left out beside workloadSelector, which selects pods of its own namespace',
    );
  }
}

/** Fields of a DestinationRule that Heddle does not put in force. Warnings and status name them. */
export function unsupportedDestinationRuleFields(spec: DestinationRuleSpec): FieldProblem[] {
  const policies = [
    { field: 'spec.trafficPolicy', policy: spec.trafficPolicy },
    ...(spec.subsets ?? []).map((part, index) => ({
      field: `spec.subsets[${index}].trafficPolicy`,
      policy: part.trafficPolicy,
    })),
  ];
  return policies.flatMap(({ field, policy }) => [
    ...(policy?.tunnel === undefined ? [] : [{ field: `${field}.tunnel`, message: NO_TUNNEL }]),
    ...[policy, ...(policy?.portLevelSettings ?? [])]
      .filter((one) => one?.connectionPool?.http?.h2UpgradePolicy === 'UPGRADE')
      .slice(0, 1)
      .map(() => ({ field: `${field}.connectionPool.http.h2UpgradePolicy`, message: NO_UPGRADE })),
  ]);
}
