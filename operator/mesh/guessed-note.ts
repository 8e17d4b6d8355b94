/**
 * What a policy about requests does not see: on a port that declares no protocol, whatever is not recognised as HTTP is bytes of somebody's own protocol, and
 * a caller may see to that.
 * @param pods how many have such a port that the policy is about
 * @param though what holds there in spite of it
 */
export function noteGuessed(pods: number, though: string): string[] {
  if (pods === 0) return [];
  return [
    `Pods with a port that declares no protocol: ${pods}. What is not recognised as HTTP there, as after an empty line or a second of silence, is not held ` +
      `to this; ${though}. Name such a port http, http2 or grpc in its Service, or set its appProtocol.`,
  ];
}
