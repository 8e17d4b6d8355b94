import { durationMs } from '../../api/duration.ts';
import type { MeshConfig } from '../../api/mesh-config.ts';

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
  intermediateMs: 90 * 24 * HOUR,
  workloadMs: 24 * HOUR,
  webhookMs: 90 * 24 * HOUR,
  xdsMs: 90 * 24 * HOUR,
  propagationMs: 150_000,
  backdateMs: 65 * 60_000,
};

/** Fields of `certificates` in the mesh settings. */
const FIELDS = {
  rootMs: 'rootLifetime',
  intermediateMs: 'intermediateLifetime',
  workloadMs: 'workloadLifetime',
  webhookMs: 'webhookLifetime',
  xdsMs: 'xdsLifetime',
  propagationMs: 'trustPropagation',
  backdateMs: 'backdate',
} as const satisfies Readonly<Record<keyof Lifetimes, keyof MeshConfig['certificates']>>;

/**
 * Takes lifetimes from the mesh settings, which have them in Go's notation (`24h`, `90s`).
 * @throws {RangeError} naming the field when one is no duration, or when a certificate would outlive its issuer's renewal
 */
export function lifetimesFrom(certificates: MeshConfig['certificates']): Lifetimes {
  const result: Record<keyof Lifetimes, number> = { ...DEFAULT_LIFETIMES };
  for (const [field, name] of Object.entries(FIELDS) as [keyof Lifetimes, keyof MeshConfig['certificates']][]) {
    try {
      result[field] = durationMs(certificates[name]);
    } catch (error) {
      throw new RangeError(`certificates.${name}: ${error instanceof Error ? error.message : String(error)}`);
    }
  }
  checkLifetimes(result);
  return result;
}

/** @throws {RangeError} when a root is too short for a rotation, or an intermediate for what it signs */
export function checkLifetimes(lifetimes: Lifetimes): void {
  const { rootMs, intermediateMs, workloadMs, propagationMs } = lifetimes;
  if (workloadMs * 2 > intermediateMs) {
    throw new RangeError(
      `certificates.${FIELDS.workloadMs} must be at most half of certificates.${FIELDS.intermediateMs}`,
    );
  }
  if (intermediateMs > rootMs) {
    throw new RangeError(`certificates.${FIELDS.intermediateMs} must not exceed certificates.${FIELDS.rootMs}`);
  }
  if (rotationMarginMs(lifetimes) > rootMs / 2 + 1) {
    throw new RangeError(
      `certificates.${FIELDS.rootMs} must be at least 4 times certificates.${FIELDS.workloadMs} plus certificates.${FIELDS.propagationMs} (${propagationMs} ms)`,
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
