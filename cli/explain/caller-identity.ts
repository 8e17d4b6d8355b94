/** Parts of a SPIFFE ID of the mesh. */
export interface CallerIdentity {
  /** `cluster.local/ns/shop/sa/ui`. */
  readonly principal: string;
  readonly trustDomain: string;
  /** Absent where the ID has another form than the mesh's. */
  readonly namespace?: string;
  readonly serviceAccount?: string;
}

/** Reads a SPIFFE ID; undefined for what is none. */
export function readIdentity(spiffeId: string): CallerIdentity | undefined {
  if (!spiffeId.startsWith('spiffe://')) return undefined;
  const principal = spiffeId.slice('spiffe://'.length);
  const [trustDomain = '', ns, namespace, sa, serviceAccount, ...more] = principal.split('/');
  const isOurs = ns === 'ns' && sa === 'sa' && serviceAccount !== undefined && more.length === 0;
  return { principal, trustDomain, ...(isOurs && namespace !== undefined ? { namespace, serviceAccount } : {}) };
}
