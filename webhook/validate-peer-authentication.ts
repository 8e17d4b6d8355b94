import { peerAuthenticationSpec } from '../api/peer-authentication.ts';
import { schemaProblems } from './schema-problems.ts';

/**
 * What is wrong with a PeerAuthentication's spec. Istio's CRD, where it is the one installed, may be older and know fewer rules.
 * @returns one sentence per problem, beginning with the field
 */
export function validatePeerAuthentication(spec: unknown): string[] {
  const result = peerAuthenticationSpec.safeParse(spec ?? {});
  return result.success ? [] : schemaProblems(result.error);
}
