import type { XdsResource } from '../xds/resource.ts';

/** A response that waits for its ACK. */
export interface InFlight {
  readonly nonce: string;
  readonly names: readonly string[];
  readonly sentAt: number;
  /** Nothing that was to be sent was left out. */
  readonly whole: boolean;
}

/** What the next response of a type would hold. */
export interface Pending {
  readonly upserts: readonly XdsResource[];
  readonly removed: readonly string[];
  /** Not all dirty names were looked at: a response is full without. */
  readonly more: boolean;
}
