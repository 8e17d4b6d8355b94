import type { ObjectKey, ObjectRef } from './object-ref.ts';
import type { AppProtocol, Hostname, OutboundPolicy } from './snapshot.ts';

/** Hosts that a Sidecar lets its workloads see. */
export interface ImportedHosts {
  /**
   * Namespace of the services; `*`: all. `.`: that of the client, in a Sidecar for the whole mesh only; elsewhere it is resolved. (`~` is left
   * out: it imports nothing.)
   */
  readonly namespace: string;
  /** Exact, `*.` in front, or `*`. */
  readonly host: Hostname;
}

export interface EgressListener {
  /** Absent: all ports that no other listener has. */
  readonly port?: { readonly number: number; readonly protocol: AppProtocol; readonly name: string };
  /** Address to listen on without redirection (capture mode NONE, or a port with `bind`); absent: as redirected. */
  readonly bind?: string;
  readonly hosts: readonly ImportedHosts[];
}

/** What a Sidecar says of the outbound side of the workloads it applies to. */
export interface SidecarScope {
  readonly object: ObjectRef;
  readonly key: ObjectKey;
  /** Empty: everything visible, as without a Sidecar. */
  readonly egress: readonly EgressListener[];
  /** Absent: the mesh's. */
  readonly outboundPolicy?: OutboundPolicy;
}
