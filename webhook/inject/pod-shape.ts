import type { V1Pod } from '@kubernetes/client-node';
import { z } from 'zod';

/** Not as a record, of which zod makes a copy: of forty thousand annotations that takes as long as all else. */
const strings = z.custom<Readonly<Record<string, string>>>(areTexts, 'must be a map of texts').nullish();
const named = z.looseObject({ name: z.string() });
const handler = z.looseObject({
  httpGet: z.looseObject({ port: z.union([z.string(), z.number()]), path: z.string().optional() }).optional(),
  tcpSocket: z.looseObject({ port: z.union([z.string(), z.number()]) }).optional(),
  grpc: z.looseObject({ port: z.number() }).optional(),
});
const container = z.looseObject({
  name: z.string().regex(/^[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?$/, 'must be a DNS label'),
  ports: z.array(z.looseObject({ containerPort: z.number(), name: z.string().optional() })).optional(),
  env: z.array(named).optional(),
  volumeMounts: z.array(z.looseObject({ mountPath: z.string() })).optional(),
  livenessProbe: handler.optional(),
  readinessProbe: handler.optional(),
  startupProbe: handler.optional(),
  lifecycle: z.looseObject({ postStart: handler.optional(), preStop: handler.optional() }).optional(),
});

const shape = z.looseObject({
  metadata: z
    .looseObject({
      name: z.string().optional(),
      generateName: z.string().optional(),
      labels: strings,
      annotations: strings,
      ownerReferences: z.array(z.looseObject({ kind: z.string(), name: z.string() })).optional(),
    })
    .optional(),
  spec: z.looseObject({
    containers: z.array(container).min(1),
    initContainers: z.array(container).optional(),
    volumes: z.array(named).optional(),
    readinessGates: z.array(z.looseObject({ conditionType: z.string() })).optional(),
  }),
});

/**
 * Tells whether an object has the form of a pod as far as injection reads it; an API server sends no other.
 * @returns the same object, or the first thing that is wrong with it
 */
export function asPod(object: unknown): { readonly pod: V1Pod } | { readonly problem: string } {
  const result = shape.safeParse(object);
  if (result.success) return { pod: object as V1Pod };
  const [issue] = result.error.issues;
  return { problem: `${issue?.path.join('.') || 'object'}: ${issue?.message}` };
}

function areTexts(value: unknown): boolean {
  const isMap = typeof value === 'object' && value !== null && !Array.isArray(value);
  return isMap && Object.values(value).every((text) => typeof text === 'string');
}
