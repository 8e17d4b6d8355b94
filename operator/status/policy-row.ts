import { type ObjectKey, type ObjectRef, objectKey } from '../mesh/object-ref.ts';
import type { PolicyObject } from './policy-objects.ts';

/** What the writer knows of one policy. */
export interface PolicyRow {
  readonly ref: ObjectRef;
  readonly key: ObjectKey;
  /** When its user, or somebody else, last changed it, in ms since the epoch. */
  changedAt: number;
  /** It is not written before this time, in ms since the epoch. */
  notBefore: number;
  writing: boolean;
  /** It is to be looked at once the write is through. */
  again: boolean;
  failures: number;
  /** What is being written, or was written last, until the store shows something else. */
  written: PolicyObject | undefined;
  /** Proxies that its last judgement asked about. */
  looked: number;
}

/** A policy of which nothing is known yet. */
export function newRow(ref: ObjectRef): PolicyRow {
  return {
    ref,
    key: objectKey(ref),
    changedAt: Number.NEGATIVE_INFINITY,
    notBefore: 0,
    writing: false,
    again: false,
    failures: 0,
    written: undefined,
    looked: 0,
  };
}
