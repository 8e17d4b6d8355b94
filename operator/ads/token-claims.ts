/** The claims of a ServiceAccount token that are of use before and after its review. */
export interface TokenClaims {
  /** `exp`, in ms since the epoch. */
  readonly expiresAt: number;
  readonly audiences: readonly string[];
}

/** The latest moment that there is a date for, in seconds since the epoch. */
const LATEST = 8_640_000_000_000;
/** Longest token that is looked at, in characters; a projected token has about 1,200. */
export const MAX_TOKEN_LENGTH = 16_384;

/**
 * Reads the claims of a JWT without checking its signature: that is the API server's part. It keeps tokens that cannot be
 * good from costing a review.
 * @returns undefined when the text is no JWT with an `exp`
 */
export function readTokenClaims(token: string): TokenClaims | undefined {
  if (token.length > MAX_TOKEN_LENGTH) {
    return undefined;
  }
  const parts = token.split('.');
  const payload = parts[1];
  if (parts.length !== 3 || payload === undefined) {
    return undefined;
  }
  try {
    const claims: unknown = JSON.parse(Buffer.from(payload, 'base64url').toString('utf8'));
    if (typeof claims !== 'object' || claims === null) {
      return undefined;
    }
    const { exp, aud } = claims as { exp?: unknown; aud?: unknown };
    if (typeof exp !== 'number' || !(Math.abs(exp) <= LATEST)) {
      return undefined;
    }
    const audiences = (Array.isArray(aud) ? aud : [aud]).filter((entry): entry is string => typeof entry === 'string');
    return { expiresAt: exp * 1000, audiences };
  } catch {
    return undefined;
  }
}
