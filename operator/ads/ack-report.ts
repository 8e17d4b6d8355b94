import type { ProxyIdentity } from '../xds/resource.ts';
import type { TypeSync } from './sync-state.ts';

/** A resource version that a proxy refused. */
export interface RejectedResource {
  readonly typeUrl: string;
  readonly name: string;
  readonly version: string;
  /** Envoy's message. */
  readonly message: string;
}

/** What one proxy has put in force. */
export interface ProxyReport {
  readonly identity: ProxyIdentity;
  /** As it is now: false for a short while after its stream ended, for it most likely comes back. */
  readonly connected: boolean;
  /** Ms since the epoch. */
  readonly connectedAt: number;
  /** Version in force of a resource; undefined when the proxy has not acknowledged any. */
  acknowledged(typeUrl: string, name: string): string | undefined;
  /** All names of a type with the versions in force. */
  versions(typeUrl: string): Iterable<[name: string, version: string]>;
  rejections(): readonly RejectedResource[];
  /** Whether it asks for a resource by its name, rather than for all; absent where that is not known. */
  asksFor?(typeUrl: string, name: string): boolean;
  /** How far it is with what it is to have; absent where its stream is at another replica. */
  sync?(): readonly TypeSync[];
}

/** Who has acknowledged what, for status and for the canary. */
export interface AckReport {
  /** Version of a resource in force on the proxy of a pod; undefined when none, or the proxy is not connected here. */
  acked(uid: string, typeUrl: string, name: string): string | undefined;
  proxy(uid: string): ProxyReport | undefined;
  proxies(): Iterable<ProxyReport>;
  /** How often a stream began or ended, or a report was forgotten: while it is the same, `proxies` gives the same. */
  readonly moves: number;
  /** Calls back, once for many at a time, with the pods whose report changed. Gives a function that ends that. */
  onAck(listener: (uids: ReadonlySet<string>) => void): () => void;
}
