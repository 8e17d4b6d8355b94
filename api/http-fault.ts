import { z } from 'zod';
import { checkPercent, type Findings } from './field-check.ts';
import { checkFraction, percent } from './http-destination.ts';
import { checkDuration } from './istio-duration.ts';

/** Istio's HTTPFaultInjection. */
export const httpFault = z.object({
  delay: z
    .object({
      fixedDelay: z.string().optional().describe('How long a request waits, as in 5s.'),
      exponentialDelay: z.string().optional().describe('Not in force; refused, as Istio does.'),
      percentage: percent.optional().describe('Percentage of the requests.'),
      percent: z.int().optional().describe('Deprecated: percentage in whole numbers.'),
    })
    .optional()
    .describe('Requests that wait before they go on.'),
  abort: z
    .object({
      httpStatus: z.int().optional().describe('HTTP status of the answer.'),
      grpcStatus: z.string().optional().describe('gRPC status of the answer, by name, as in UNAVAILABLE.'),
      http2Error: z.string().optional().describe('Not in force; refused, as Istio does.'),
      percentage: percent.optional().describe('Percentage of the requests.'),
    })
    .optional()
    .describe('Requests that are answered with an error instead of going on.'),
});

export type HttpFault = z.infer<typeof httpFault>;

/** gRPC's status codes by name; the numbers are those of the wire. */
export const GRPC_STATUS: ReadonlyMap<string, number> = new Map(
  [
    ...['OK', 'CANCELLED', 'UNKNOWN', 'INVALID_ARGUMENT', 'DEADLINE_EXCEEDED', 'NOT_FOUND', 'ALREADY_EXISTS'],
    ...['PERMISSION_DENIED', 'RESOURCE_EXHAUSTED', 'FAILED_PRECONDITION', 'ABORTED', 'OUT_OF_RANGE', 'UNIMPLEMENTED'],
    ...['INTERNAL', 'UNAVAILABLE', 'DATA_LOSS', 'UNAUTHENTICATED'],
  ].map((name, number) => [name, number]),
);

/** Reports faults that can't be injected, and those that never will be. */
export function checkFault(found: Findings, field: string, { delay, abort }: HttpFault): void {
  if (delay === undefined && abort === undefined) found.error(field, 'must have a delay or an abort');
  if (delay !== undefined) checkDelay(found, `${field}.delay`, delay);
  if (abort !== undefined) checkAbort(found, `${field}.abort`, abort);
}

function checkDelay(found: Findings, field: string, delay: NonNullable<HttpFault['delay']>): void {
  if (delay.exponentialDelay !== undefined) {
    found.error(`${field}.exponentialDelay`, 'must be left out, as Istio never built it; write fixedDelay');
  } else if (delay.fixedDelay === undefined) {
    found.warn(field, 'has no fixedDelay, and so no effect');
  }
  checkDuration(found, `${field}.fixedDelay`, delay.fixedDelay);
  checkFraction(found, `${field}.percentage`, delay.percentage);
  checkPercent(found, `${field}.percent`, delay.percent);
  if (delay.percent !== undefined) found.warn(`${field}.percent`, 'is deprecated; write percentage.value');
  warnWhenNever(found, field, delay.percentage?.value ?? (delay.percentage === undefined ? delay.percent : 0));
}

function checkAbort(found: Findings, field: string, abort: NonNullable<HttpFault['abort']>): void {
  const { httpStatus, grpcStatus, http2Error } = abort;
  const kinds = [httpStatus, grpcStatus, http2Error].filter((kind) => kind !== undefined).length;
  if (kinds > 1) found.error(field, 'must have one of httpStatus and grpcStatus; keep one');
  if (kinds === 0) found.warn(field, 'has neither httpStatus nor grpcStatus, and so no effect');
  if (http2Error !== undefined) {
    found.error(`${field}.http2Error`, 'must be left out, as Istio never built it; write httpStatus or grpcStatus');
  }
  checkStatus(found, `${field}.httpStatus`, httpStatus);
  if (grpcStatus !== undefined && !GRPC_STATUS.has(grpcStatus)) {
    found.error(`${field}.grpcStatus`, `must be one of ${[...GRPC_STATUS.keys()].join(', ')}`);
  }
  checkFraction(found, `${field}.percentage`, abort.percentage);
  warnWhenNever(found, field, abort.percentage?.value);
}

/** Istio's rule: without a percentage a fault meets no request. */
function warnWhenNever(found: Findings, field: string, share = 0): void {
  if (share === 0)
    found.warn(`${field}.percentage`, 'is 0 or left out, and so no request meets the fault; write a percentage');
}

/** Reports an HTTP status that is none an answer can end with; a missing one is fine. */
export function checkStatus(found: Findings, field: string, status: number | undefined): void {
  if (status !== undefined && (status < 200 || status > 599)) {
    found.error(field, `must be an HTTP status from 200 to 599, and is ${status}`);
  }
}
