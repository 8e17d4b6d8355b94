import type { MeshSettings } from './snapshot.ts';

/** SPIFFE ID of a service account. */
export function spiffeIdOf({ trustDomain }: MeshSettings, namespace: string, serviceAccount: string): string {
  return `spiffe://${trustDomain}/ns/${namespace}/sa/${serviceAccount}`;
}
