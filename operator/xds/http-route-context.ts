import type { Backend } from '../mesh/route-rule.ts';
import type { DestinationSplit, Share } from './destination.ts';
import type { HashPolicy } from './http-route-hashes.ts';
import type { TcpPolicy } from './tcp-policy.ts';

/** What a backend comes to for the client that asks. */
export interface ResolvedBackend {
  /** Clusters and their weights; weights of one backend add up to 100. */
  readonly shares: readonly Share[];
  /** With the matches that are for this client; absent where the shares are all there is. */
  readonly split?: DestinationSplit;
  /** How requests choose an endpoint, from the DestinationRule's consistentHash; empty: no hash. */
  readonly hashPolicies: readonly HashPolicy[];
  /** What the policy says of opaque connections; absent: nothing. */
  readonly tcp?: TcpPolicy;
}

/** What is known of the client that routes are for. */
export interface RouteContext {
  /** The port that the client addresses. */
  readonly port: number;
  resolve(backend: Backend): ResolvedBackend;
  /** The one cluster mirrored requests go to. */
  mirrorCluster(backend: Backend): string;
}
