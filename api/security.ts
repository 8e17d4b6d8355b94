/** Istio's group of security policies. */
export const SECURITY_GROUP = 'security.istio.io';
/** All served, with one schema; the first is stored. */
export const SECURITY_VERSIONS = ['v1', 'v1beta1'] as const;
