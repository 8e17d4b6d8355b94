import { createHash } from 'node:crypto';
import type { Hostname } from './snapshot.ts';

/** 240.0.0.0/4 is reserved, so no server is there; of its addresses the first and the last (broadcast) stay free. */
const FIRST = 0xf0_00_00_01;
const SIZE = 2 ** 28 - 2;

/**
 * The address that sidecars which answer DNS give clients for a host without one. It comes from the name alone, so every replica
 * and every order of events agree on it; two names share one only by rare chance.
 */
export function dnsAddressOf(hostname: Hostname): string {
  const hash = createHash('sha256').update(hostname).digest().readUInt32BE(0);
  const number = FIRST + (hash % SIZE);
  return [24, 16, 8, 0].map((shift) => (number >>> shift) & 0xff).join('.');
}
