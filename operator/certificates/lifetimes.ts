import { durationMs } from '../../api/duration.ts';

/** How long everything lives; milliseconds. */
export interface Lifetimes {
  readonly rootMs: number;
  readonly intermediateMs: number;
  readonly workloadMs: number;
  readonly webhookMs: number;
  /** Serving certificate of the xDS port. */
  readonly xdsMs: number;
  /** How long kubelets may take to project a changed trust ConfigMap into every pod. */
  readonly propagationMs: number;
  /** By how much certificates are backdated, so that a clock that is off refuses nothing. */
  readonly backdateMs: number;
}

const HOUR = 3_600_000;

/** One hour of clock error, and a little more, is tolerated in either direction. */
export const DEFAULT_LIFETIMES: Lifetimes = {
  rootMs: 10 * 365 * 24 * HOUR,
  intermediateMs: 365 * 24 * HOUR,
  workloadMs: 24 * HOUR,
  webhookMs: 90 * 24 * HOUR,
  xdsMs: 90 * 24 * HOUR,
  propagationMs: 150_000,
  backdateMs: 65 * 60_000,
};

const VARIABLES: Readonly<Record<keyof Lifetimes, string>> = {
  rootMs: 'HEDDLE_ROOT_LIFETIME',
  intermediateMs: 'HEDDLE_INTERMEDIATE_LIFETIME',
  workloadMs: 'HEDDLE_WORKLOAD_LIFETIME',
  webhookMs: 'HEDDLE_WEBHOOK_LIFETIME',
  xdsMs: 'HEDDLE_XDS_LIFETIME',
  propagationMs: 'HEDDLE_TRUST_PROPAGATION',
  backdateMs: 'HEDDLE_CERTIFICATE_BACKDATE',
};

/**
 * Reads lifetimes from the environment, in Go's notation (`24h`, `90s`); what is absent has its default.
 * @throws {RangeError} naming the variable when one is no duration, or when a certificate would outlive its issuer's renewal
 */
export function lifetimesFromEnv(env: NodeJS.ProcessEnv): Lifetimes {
  const result: Record<keyof Lifetimes, number> = { ...DEFAULT_LIFETIMES };
  for (const [field, variable] of Object.entries(VARIABLES) as [keyof Lifetimes, string][]) {
    const text = env[variable];
    if (!text) continue;
    try {
      result[field] = durationMs(text);
    } catch (error) {
      throw new RangeError(`${variable}: ${error instanceof Error ? error.message : String(error)}`);
    }
  }
  checkLifetimes(result);
  return result;
}

/** @throws {RangeError} when a root is too short for a rotation, or an intermediate for what it signs */
export function checkLifetimes(lifetimes: Lifetimes): void {
  const { rootMs, intermediateMs, workloadMs, propagationMs } = lifetimes;
  if (workloadMs * 2 > intermediateMs) {
    throw new RangeError(`${VARIABLES.workloadMs} must be at most half of ${VARIABLES.intermediateMs}`);
  }
  if (intermediateMs > rootMs) {
    throw new RangeError(`${VARIABLES.intermediateMs} must not exceed ${VARIABLES.rootMs}`);
  }
  if (rotationMarginMs(lifetimes) > rootMs / 2 + 1) {
    throw new RangeError(
      `${VARIABLES.rootMs} must be at least 4 times ${VARIABLES.workloadMs} plus ${VARIABLES.propagationMs} (${propagationMs} ms)`,
    );
  }
}

/** A root with less than this left is replaced: a fifth of its life, and time for a whole rotation twice over. */
export function rotationMarginMs({ rootMs, workloadMs, propagationMs }: Lifetimes): number {
  return Math.max(rootMs / 5, 2 * (workloadMs + propagationMs));
}

/**
 * When to renew a certificate: between one half and seven tenths of its life from now on, at random, so that what began
 * together is not renewed together.
 * @param random between 0 and 1
 * @returns milliseconds since 1970
 */
export function renewalTime(issuedAt: number, expiresAt: number, random: number): number {
  return issuedAt + (expiresAt - issuedAt) * (0.5 + 0.2 * random);
}
