import { z } from 'zod';
import { conditions } from './condition.ts';
import type { CustomResource } from './custom-resource.ts';
import { HEDDLE_GROUP, HEDDLE_VERSION } from './heddle.ts';
import { AGE } from './printer-columns.ts';

export const TRUST_ROTATION_KIND = 'TrustRotation';

/**
 * Pending: another one goes first. Distributing: all proxies learn to trust the new root, the old one signs. Issuing: the new one signs, both are trusted.
 * Retiring: the old one is trusted no more. Aborting: the old one signs again, both are trusted. The last three end it.
 */
export const TRUST_ROTATION_PHASES = [
  'Pending',
  'Distributing',
  'Issuing',
  'Retiring',
  'Aborting',
  'Complete',
  'Aborted',
  'Refused',
] as const;

export const trustRotationSpec = z.object({
  abort: z
    .boolean()
    .default(false)
    .describe(
      'Go back to the old root. Possible while the phase is Pending, Distributing or Issuing, and not taken back; deleting the object does the same.',
    ),
});

const root = z.object({
  fingerprint: z.string().optional().describe('First 16 hex digits of SHA-256 over the certificate that signs.'),
  source: z.string().optional().describe('Heddle, or the Secret cacerts.'),
  expiresAt: z
    .string()
    .optional()
    .meta({ format: 'date-time', description: 'When it, or a certificate above it, expires.' }),
});

const time = (description: string) => z.string().optional().meta({ format: 'date-time', description });

export const trustRotationStatus = z.object({
  observedGeneration: z.int().optional().describe('metadata.generation this status was made from.'),
  phase: z.enum(TRUST_ROTATION_PHASES).optional().describe('Where the rotation stands.'),
  progress: z.string().optional().describe('Proxies that are done with the phase, of all: "3 of 12 proxies".'),
  proxiesDone: z.int().min(0).optional().describe('Proxies that are done with the phase.'),
  proxiesTotal: z.int().min(0).optional().describe('Proxies that the phase is about.'),
  oldRoot: root.optional().describe('What signed before.'),
  newRoot: root.optional().describe('What signs after.'),
  startedAt: time('When it began.'),
  phaseStartedAt: time('When the phase began.'),
  completedAt: time('When it ended.'),
  conditions: conditions.optional(),
});

export type TrustRotationSpec = z.infer<typeof trustRotationSpec>;
export type TrustRotationStatus = z.infer<typeof trustRotationStatus>;
export type TrustRotationPhase = (typeof TRUST_ROTATION_PHASES)[number];
/** A root as the status tells of it. */
export type TrustRotationRoot = z.infer<typeof root>;

/** A TrustRotation as the API server gives it. */
export interface TrustRotation {
  apiVersion?: string;
  kind?: string;
  metadata: {
    name: string;
    uid?: string;
    generation?: number;
    resourceVersion?: string;
    creationTimestamp?: string;
    deletionTimestamp?: string;
  };
  spec?: TrustRotationSpec;
  status?: TrustRotationStatus;
}

export const trustRotation: CustomResource = {
  group: HEDDLE_GROUP,
  kind: TRUST_ROTATION_KIND,
  plural: 'trustrotations',
  singular: 'trustrotation',
  shortNames: ['trot'],
  categories: ['heddle'],
  scope: 'Cluster',
  versions: [HEDDLE_VERSION],
  description:
    'A TrustRotation replaces the root that the identities of the mesh come from, step by step, with no moment in which two proxies cannot agree.',
  spec: trustRotationSpec,
  specRequired: false,
  status: trustRotationStatus,
  columns: [
    { name: 'Phase', type: 'string', jsonPath: '.status.phase', description: 'Where the rotation stands.' },
    {
      name: 'Progress',
      type: 'string',
      jsonPath: '.status.progress',
      description: 'Proxies that are done with the phase, of all.',
    },
    {
      name: 'Old root expires',
      type: 'string',
      jsonPath: '.status.oldRoot.expiresAt',
      description: 'When what signed before expires.',
    },
    {
      name: 'New root expires',
      type: 'string',
      jsonPath: '.status.newRoot.expiresAt',
      description: 'When what signs after expires.',
    },
    {
      name: 'Message',
      type: 'string',
      jsonPath: '.status.conditions[?(@.type=="Complete")].message',
      description: 'What it waits for, or how it ended.',
    },
    {
      name: 'Source',
      type: 'string',
      jsonPath: '.status.newRoot.source',
      description: 'Whose the new root is.',
      wide: true,
    },
    AGE,
  ],
  owner: 'heddle',
};
