import type { HttpMatch } from './route-rule.ts';

/** What a split says beside the share of its new revision. Only where routes carry HTTP it means anything. */
export interface SplitTerms {
  /** Requests that any of these match go to the new revision, whatever its share. */
  readonly matches: readonly HttpMatch[];
  /** Percent of the requests that are copied to the new revision, 0 to 100. */
  readonly mirror: number;
  /** Cookies by which users stay on the side that answered them first: of the new revision, and of the stable one. */
  readonly nextCookie?: SideCookie;
  readonly stableCookie?: SideCookie;
  /** What of a request, or of who sends it, decides on its side, in place of chance. */
  readonly stickiness?: SplitHash | { readonly kind: 'principal' };
  /** The canary's words that these terms come from (`termsKey`). */
  readonly key: string;
}

export interface SideCookie {
  readonly name: string;
  readonly value: string;
  /** The whole `Set-Cookie` header. */
  readonly header: string;
}

/** One of the things of a request that can be hashed. */
export type SplitHash = { readonly kind: 'header' | 'cookie'; readonly name: string } | { readonly kind: 'source-ip' };
