import { peerAuthenticationSpec } from '../api/peer-authentication.ts';

/**
 * What is wrong with a PeerAuthentication's spec, by Istio's own rules.
 * @returns one sentence per problem, beginning with the field, saying what to write instead
 */
export function validatePeerAuthentication(spec: unknown): string[] {
  const result = peerAuthenticationSpec.safeParse(spec ?? {});
  if (!result.success) {
    return result.error.issues.map(({ path, message }) => `spec.${path.join('.')}: ${message}`);
  }
  const { selector, portLevelMtls = {} } = result.data;
  const ports = Object.keys(portLevelMtls);
  const problems = ports
    .filter((port) => !/^\d{1,5}$/.test(port) || Number(port) < 1 || Number(port) > 65_535)
    .map((port) => `spec.portLevelMtls["${port.slice(0, 20)}"]: is no port; write a number from 1 to 65535 in quotes`);
  const selects = Object.keys(selector?.matchLabels ?? {}).length > 0;
  if (ports.length > 0 && !selects) {
    problems.push('spec.portLevelMtls: needs spec.selector.matchLabels, for ports belong to workloads; add a selector');
  }
  return problems;
}
