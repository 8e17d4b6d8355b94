import { z } from 'zod';
import { checkLabels, type Findings, isDnsLabel } from './field-check.ts';
import { judgeSpec } from './spec-reader.ts';

/** What a policy is about, other than by labels. */
const targetRef = z.object({
  group: z.string().optional().describe('Group of the target: "" for a Service.'),
  kind: z.string().describe('Kind of the target: Service.'),
  name: z.string().describe('Name of the target, in the namespace of the policy.'),
  namespace: z.string().optional().describe('Must be that of the policy, or left out.'),
});

/** Fields by which policies of the inbound side say what they are about. */
export const policyAim = {
  selector: z
    .object({ matchLabels: z.record(z.string(), z.string()).optional().describe('Labels the pods must have.') })
    .optional()
    .describe('Pods it is about. Without one: the namespace, or, in the root namespace, the whole mesh.'),
  targetRef: targetRef.optional().describe('One target, instead of targetRefs.'),
  targetRefs: z
    .array(targetRef)
    .max(16)
    .optional()
    .describe('Services it is about: their ports on the pods they select.'),
};
const aimSpec = z.object(policyAim);

/** How a policy says what it is about. */
export type PolicyAim = z.infer<typeof aimSpec>;

/** Targets of a policy, whichever of the two fields has them. */
export function targetsOf({ targetRef, targetRefs = [] }: PolicyAim) {
  return targetRef === undefined ? targetRefs : [targetRef, ...targetRefs];
}

/**
 * Whom a policy is about, whatever else is wrong with its spec.
 * @returns undefined when that can't be right either
 */
export function readAim(json: unknown): PolicyAim | undefined {
  if (typeof json !== 'object' || json === null) return undefined;
  const { selector, targetRef, targetRefs } = json as Record<string, unknown>;
  return judgeSpec(aimSpec, { selector, targetRef, targetRefs }, checkAim).spec;
}

/** Reports a selector or targets that can't be right. */
export function checkAim(found: Findings, spec: PolicyAim): void {
  const { selector, targetRef, targetRefs = [] } = spec;
  checkLabels(found, 'spec.selector.matchLabels', selector?.matchLabels);
  if (targetRef !== undefined && targetRefs.length > 0)
    found.error('spec.targetRef', 'must not be set beside targetRefs');
  const targets = targetsOf(spec);
  if (selector !== undefined && targets.length > 0) {
    found.error('spec.selector', 'must not be set beside targetRefs: a policy is about pods or about Services');
  }
  for (const [index, { group = '', kind, name, namespace = '' }] of targets.entries()) {
    const field = targetRef === undefined ? `spec.targetRefs[${index}]` : 'spec.targetRef';
    if (group !== '' && group !== 'core') found.error(`${field}.group`, `must be "" for a Service, and is "${group}"`);
    if (kind !== 'Service') found.error(`${field}.kind`, `must be Service, and is "${kind}"`);
    if (!isDnsLabel(name)) found.error(`${field}.name`, `must be the name of a Service, and is "${name}"`);
    if (namespace !== '')
      found.error(`${field}.namespace`, 'must be left out: the target is in the namespace of the policy');
  }
}
