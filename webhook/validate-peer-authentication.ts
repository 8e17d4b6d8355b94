import { checkLabels, Findings } from '../api/field-check.ts';
import { peerAuthenticationSpec } from '../api/peer-authentication.ts';
import { schemaProblems } from './schema-problems.ts';

/**
 * What is wrong with a PeerAuthentication's spec. Istio's CRD, where it is the one installed, may be older and know fewer rules.
 * @returns one sentence per problem, beginning with the field
 */
export function validatePeerAuthentication(spec: unknown): string[] {
  const result = peerAuthenticationSpec.safeParse(spec ?? {});
  if (!result.success) return schemaProblems(result.error);
  const found = new Findings();
  checkLabels(found, 'spec.selector.matchLabels', result.data.selector?.matchLabels);
  return found.errors.map(({ field, message }) => `${field}: ${message}`);
}
