import { status } from '@grpc/grpc-js';

/** What ends a stream, as gRPC tells it. */
export interface Refusal {
  readonly code: status;
  /** Read by the proxy, and so by whoever runs it: says what is wrong, never a secret. */
  readonly details: string;
}

/** Thrown to end a stream with a status of our own words. */
export class RefusalError extends Error implements Refusal {
  override readonly name = 'RefusalError';
  readonly code: status;
  readonly details: string;

  constructor(code: status, details: string) {
    super(details);
    this.code = code;
    this.details = details;
  }
}

/** The caller did not prove who it is. */
export function unauthenticated(details: string): RefusalError {
  return new RefusalError(status.UNAUTHENTICATED, details);
}

/** The caller is known and may not do this. */
export function forbidden(details: string): RefusalError {
  return new RefusalError(status.PERMISSION_DENIED, details);
}

/** The caller may be right, but it cannot be served now. */
export function unavailable(details: string): RefusalError {
  return new RefusalError(status.UNAVAILABLE, details);
}

/** The caller wants more than anybody may have. */
export function tooMuch(details: string): RefusalError {
  return new RefusalError(status.RESOURCE_EXHAUSTED, details);
}

/** The caller took too long. */
export function tooLate(details: string): RefusalError {
  return new RefusalError(status.DEADLINE_EXCEEDED, details);
}

/**
 * Runs a decoder on bytes from outside.
 * @throws RefusalError (INVALID_ARGUMENT) when the bytes are malformed
 */
export function decodeOrRefuse<T>(bytes: Uint8Array, decode: (bytes: Uint8Array) => T): T {
  try {
    return decode(bytes);
  } catch (error) {
    const text = error instanceof Error ? error.message : String(error);
    throw new RefusalError(status.INVALID_ARGUMENT, `malformed message: ${text.slice(0, 200)}`);
  }
}
