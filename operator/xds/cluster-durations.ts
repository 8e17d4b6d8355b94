import type { Duration } from '@bufbuild/protobuf/wkt';
import { istioDurationMs } from '../../api/istio-duration.ts';
import { milliseconds } from './encoding.ts';

/** Envoy refuses durations that do not fit its 64-bit nanoseconds; a century is for ever. */
const LONGEST_MS = 100 * 365 * 86_400_000;

/** A policy's duration in whole ms, at least 1 unless it is 0; undefined when there is none. */
export function policyMs(text: string | undefined): number | undefined {
  const ms = text === undefined ? undefined : istioDurationMs(text);
  if (ms === undefined || ms < 0) return undefined;
  return ms === 0 ? 0 : Math.min(LONGEST_MS, Math.max(1, Math.round(ms)));
}

/** A policy's duration as Envoy's; undefined when there is none. */
export function policyDuration(text: string | undefined): Duration | undefined {
  const ms = policyMs(text);
  return ms === undefined ? undefined : milliseconds(ms);
}
