/** API group of Heddle's own kinds: Canary, RateLimitPolicy, TrustRotation. */
export const HEDDLE_GROUP = 'heddle.dev';
/** The version they are served in. */
export const HEDDLE_VERSION = 'v1alpha1';
