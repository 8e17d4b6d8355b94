import type { ResponseMessage } from './response.ts';

/** Bounds of a stream, in ms and bytes. */
export interface StreamSettings {
  /** How long routes wait for new clusters to be ready. Longer than the 15 s Envoy itself waits for a first fetch. */
  readonly routePatienceMs: number;
  /** How long clusters outlive the acknowledged removal of the last route to them. */
  readonly removalDelayMs: number;
  /** Bytes of clusters or endpoints in one response; more goes in the next one. */
  readonly responseBytes: number;
}

export const STREAM_SETTINGS: StreamSettings = {
  routePatienceMs: 20_000,
  removalDelayMs: 1_000,
  responseBytes: 1 << 19,
};

/** What a stream tells the outside. */
export interface StreamEvents {
  /** Sends one response. */
  write(message: ResponseMessage): void;
  pushed(typeUrl: string, resources: number, bytes: number): void;
  /** An ACK or, with a message, a NACK; ms since the response was written. */
  answered(typeUrl: string, names: readonly string[], error: string | undefined, ms: number): void;
}
