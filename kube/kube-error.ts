/** An answer of the API server that is no success (metav1.Status). */
export class KubeError extends Error {
  override readonly name = 'KubeError';
  /** HTTP status code; 0 stands for an answer that could not be read. */
  readonly code: number;
  /** metav1.Status `reason`, for example `AlreadyExists`, `Conflict`, `Expired`. */
  readonly reason: string;
  /** Seconds the server asked us to wait. */
  readonly retryAfterSeconds: number | undefined;

  constructor(code: number, reason: string, message: string, retryAfterSeconds?: number) {
    super(message);
    this.code = code;
    this.reason = reason;
    this.retryAfterSeconds = retryAfterSeconds;
  }
}

/** No answer at all: refused, reset, timed out, TLS failure. The request may or may not have had its effect. */
export class KubeConnectionError extends Error {
  override readonly name = 'KubeConnectionError';
  /** Node's code: `ECONNREFUSED`, `ECONNRESET`, `ETIMEDOUT`, or a TLS code. */
  readonly code: string;

  constructor(code: string, message: string, cause?: unknown) {
    super(message, { cause });
    this.code = code;
  }
}

/** Whether an error is an answer of the API server with this HTTP status code. */
export function isKubeError(error: unknown, code: number): error is KubeError {
  return error instanceof KubeError && error.code === code;
}

export const isNotFound = (error: unknown): boolean => isKubeError(error, 404);
/** 409: the object exists already, or was changed since it was read. */
export const isConflict = (error: unknown): boolean => isKubeError(error, 409);
/** 410: the resourceVersion or continue token is too old. */
export const isGone = (error: unknown): boolean => isKubeError(error, 410);

interface StatusBody {
  kind?: string;
  reason?: string;
  message?: string;
  code?: number;
  details?: { retryAfterSeconds?: number };
}

/**
 * Reads a metav1.Status out of an error answer or a watch's ERROR event.
 * @param code HTTP status code, used when the body has none
 * @param body parsed JSON, or the text when it was none
 */
export function kubeErrorFrom(code: number, body: unknown, context: string): KubeError {
  if (typeof body === 'object' && body !== null) {
    const status = body as StatusBody;
    const { reason = 'Unknown', message = 'no message' } = status;
    return new KubeError(status.code ?? code, reason, `${context}: ${message}`, status.details?.retryAfterSeconds);
  }
  const text = typeof body === 'string' && body.length > 0 ? body.slice(0, 500).trim() : 'no message';
  return new KubeError(code, 'Unknown', `${context}: HTTP ${code}: ${text}`);
}
