import { z } from 'zod';
import { isLabelName, isLabelValue } from './field-check.ts';

const PREFIX = /^[a-z0-9]([-a-z0-9]*[a-z0-9])?([.][a-z0-9]([-a-z0-9]*[a-z0-9])?)*$/;

const BAD_KEY = 'must be a label key: up to 63 letters, digits, "-", "_" and ".", after a DNS name and "/" or alone';
const labelValue = z
  .string()
  .refine(
    isLabelValue,
    'must be a label value: up to 63 letters, digits, "-", "_" and ".", with a letter or digit at both ends',
  );

const requirement = z
  .strictObject({
    key: z.string().refine(isLabelKey, BAD_KEY),
    operator: z.enum(['In', 'NotIn', 'Exists', 'DoesNotExist']),
    values: z.array(labelValue).default([]),
  })
  .superRefine(({ operator, values }, context) => {
    const takesValues = operator === 'In' || operator === 'NotIn';
    if (takesValues === values.length > 0) return;
    const message = takesValues ? `must have a value for ${operator}` : `must be left out for ${operator}`;
    context.addIssue({ code: 'custom', path: ['values'], message });
  });

/** A selector of Kubernetes (`LabelSelector` of its API `meta/v1`). */
export const labelSelector = z.strictObject({
  matchLabels: z
    .record(z.string(), labelValue)
    .superRefine((labels, context) => {
      // A schema of keys would not say what is wrong with one.
      for (const key of Object.keys(labels)) {
        if (!isLabelKey(key)) context.addIssue({ code: 'custom', path: [key], message: BAD_KEY });
      }
    })
    .default({}),
  matchExpressions: z.array(requirement).default([]),
});
export type LabelSelector = z.output<typeof labelSelector>;

type Requirement = z.output<typeof requirement>;
type Labels = Readonly<Record<string, string>>;

/** Whether labels meet all requirements of a selector; one without any is met by all, as in Kubernetes. */
export function matchesLabels({ matchLabels, matchExpressions }: LabelSelector, labels: Labels): boolean {
  return (
    Object.entries(matchLabels).every(([key, value]) => labelOf(labels, key) === value) &&
    matchExpressions.every((one) => isMet(one, labelOf(labels, one.key)))
  );
}

function isMet({ operator, values }: Requirement, value: string | undefined): boolean {
  switch (operator) {
    case 'In':
      return value !== undefined && values.includes(value);
    case 'NotIn':
      return value === undefined || !values.includes(value);
    case 'Exists':
      return value !== undefined;
    case 'DoesNotExist':
      return value === undefined;
  }
}

/** Labels are read from JSON, so they have an object's inherited properties too. */
function labelOf(labels: Labels, key: string): string | undefined {
  return Object.hasOwn(labels, key) ? labels[key] : undefined;
}

function isLabelKey(key: string): boolean {
  const slash = key.indexOf('/');
  const name = key.slice(slash + 1);
  const prefix = key.slice(0, Math.max(slash, 0));
  if (slash >= 0 && (prefix.length > 253 || !PREFIX.test(prefix))) return false;
  return isLabelName(name);
}
