import { z } from 'zod';
import { hasMoreValues, holdsMoreValues } from '../api/json-values.ts';
import type { PatchOperation } from './inject/patch.ts';

const text = z.string().max(512);

const request = z.object({
  uid: z.string().min(1).max(128),
  kind: z.object({ group: text.default(''), version: text, kind: text }),
  operation: z.enum(['CREATE', 'UPDATE', 'DELETE', 'CONNECT']),
  name: text.optional(),
  namespace: text.optional(),
  dryRun: z.boolean().optional(),
  object: z.record(z.string(), z.unknown()).nullish(),
});

const review = z.object({
  apiVersion: z.literal('admission.k8s.io/v1'),
  kind: z.literal('AdmissionReview'),
  request,
});

/** The part of an AdmissionReview that asks. */
export type AdmissionRequest = z.output<typeof request>;

/** An answer to it, before it is wrapped. */
export interface AdmissionAnswer {
  /** Present when the object is refused: the sentence that the user sees. */
  readonly refusal?: string;
  readonly patch?: readonly PatchOperation[];
  readonly warnings?: readonly string[];
}

/** The request is none that an API server sends. */
export class ReviewError extends Error {
  override readonly name = 'ReviewError';
}

/**
 * Most values of an object. What judging costs grows with these more than with bytes: three million bytes can be more than a gigabyte of findings. A
 * ServiceEntry of 10,000 endpoints with a label each has as many.
 */
export const MAX_OBJECT_VALUES = 40_000;

/** Most values in a review, which may also have the object as it was before; commas, lists and objects are counted. */
export const MAX_VALUES = 5 * MAX_OBJECT_VALUES;

/**
 * Reads an AdmissionReview (admission.k8s.io/v1).
 * @throws {ReviewError} saying what is wrong, with the field
 */
export function readReview(body: Buffer): AdmissionRequest {
  if (hasMoreValues(body, MAX_VALUES)) {
    throw new ReviewError(`the body has more than ${MAX_VALUES} values`);
  }
  let parsed: unknown;
  try {
    parsed = JSON.parse(body.toString('utf8'));
  } catch {
    throw new ReviewError('the body is not valid JSON');
  }
  const { object } = (parsed as { request?: { object?: unknown } } | null)?.request ?? {};
  if (holdsMoreValues(object, MAX_OBJECT_VALUES)) {
    throw new ReviewError(`request.object has more than ${MAX_OBJECT_VALUES} values; split it`);
  }
  const result = review.safeParse(parsed);
  if (result.success) return result.data.request;
  const [issue] = result.error.issues;
  throw new ReviewError(
    `the body is no AdmissionReview of admission.k8s.io/v1: ${issue?.path.join('.')}: ${issue?.message}`,
  );
}

/** Longest warnings that the API server passes on; it cuts longer ones itself. */
const MAX_WARNING = 256;

/** Wraps an answer into the AdmissionReview that goes back. */
export function formatReview(uid: string, { refusal, patch, warnings }: AdmissionAnswer): string {
  const response: Record<string, unknown> = { uid, allowed: refusal === undefined };
  if (refusal !== undefined) response.status = { code: 422, reason: 'Invalid', message: refusal };
  if (patch && patch.length > 0 && refusal === undefined) {
    response.patchType = 'JSONPatch';
    response.patch = Buffer.from(JSON.stringify(patch)).toString('base64');
  }
  if (warnings && warnings.length > 0) response.warnings = warnings.map((warning) => warning.slice(0, MAX_WARNING));
  return JSON.stringify({ apiVersion: 'admission.k8s.io/v1', kind: 'AdmissionReview', response });
}
