import { z } from 'zod';
import { checkPercent, type Findings } from './field-check.ts';
import { checkDuration } from './istio-duration.ts';
import { NULLABLE } from './spec-reader.ts';

/** Istio's OutlierDetection. */
export const outlierDetection = z.object({
  consecutive5xxErrors: z
    .int()
    .optional()
    .describe('Answers with 5xx in a row that eject an endpoint; 0: none, 5 when left out.')
    .meta(NULLABLE),
  consecutiveGatewayErrors: z
    .int()
    .optional()
    .describe('Answers with 502, 503 or 504 in a row that eject an endpoint; 0: none.')
    .meta(NULLABLE),
  consecutiveLocalOriginFailures: z
    .int()
    .optional()
    .describe('Failures to connect in a row that eject an endpoint.')
    .meta(NULLABLE),
  splitExternalLocalOriginErrors: z
    .boolean()
    .optional()
    .describe('Count failures to connect apart from answers with errors.'),
  consecutiveErrors: z.int().optional().describe('Deprecated: consecutiveGatewayErrors or consecutive5xxErrors.'),
  interval: z.string().optional().describe('Time between two looks; 10s when left out.'),
  baseEjectionTime: z.string().optional().describe('How long an endpoint is out the first time; 30s when left out.'),
  maxEjectionPercent: z.int().optional().describe('Percentage of the endpoints that may be out; 10 when left out.'),
  minHealthPercent: z.int().optional().describe('Percentage of healthy endpoints below which nothing is ejected.'),
});

export type OutlierDetection = z.infer<typeof outlierDetection>;

const MAX_UINT32 = 4_294_967_295;

/** Reports an ejection that can't be right, and one that never happens. */
export function checkOutlierDetection(found: Findings, field: string, settings: OutlierDetection): void {
  const counts = [
    'consecutive5xxErrors',
    'consecutiveGatewayErrors',
    'consecutiveLocalOriginFailures',
    'consecutiveErrors',
  ] as const;
  for (const name of counts) {
    const value = settings[name];
    if (value !== undefined && (value < 0 || value > MAX_UINT32))
      found.error(`${field}.${name}`, `must not be negative, and is ${value}`);
  }
  if (settings.consecutiveErrors !== undefined) {
    found.warn(`${field}.consecutiveErrors`, 'is deprecated; write consecutiveGatewayErrors or consecutive5xxErrors');
  }
  if ((settings.consecutiveLocalOriginFailures ?? 0) > 0 && settings.splitExternalLocalOriginErrors !== true) {
    found.error(`${field}.consecutiveLocalOriginFailures`, 'must stand beside splitExternalLocalOriginErrors: true');
  }
  checkDuration(found, `${field}.interval`, settings.interval);
  checkDuration(found, `${field}.baseEjectionTime`, settings.baseEjectionTime);
  checkPercent(found, `${field}.maxEjectionPercent`, settings.maxEjectionPercent);
  checkPercent(found, `${field}.minHealthPercent`, settings.minHealthPercent);
}
