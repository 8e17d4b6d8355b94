import type { TestCertificate } from '../feature/support/server-certificate.ts';
import type { CountedSeries } from './metrics-report.ts';

/** What the processes of the ADS benches say to each other. */

/** How big the mesh is. */
export interface MeshSize {
  readonly services: number;
  readonly proxies: number;
  /** Over so many namespaces proxies and Services are spread; one by default. */
  readonly namespaces?: number;
  /** Each Service has a VirtualService, and a DestinationRule with two subsets. */
  readonly traffic?: boolean;
  /** Proxies are sent clusters on demand. */
  readonly onDemand?: boolean;
  /** Where the control plane listens, and as whom; absent: anywhere, as somebody new. */
  readonly listen?: { readonly port: number; readonly certificate: TestCertificate };
  /** What changed since the mesh began. */
  readonly changes?: readonly ChangeRequest[];
  /** The last of the proxies is a real Envoy, whose inbound side listens on this port of loopback and takes plaintext alone. */
  readonly inboundAt?: number;
  /** With its own patience, not one for a machine on which all proxies are one process. */
  readonly asShipped?: boolean;
}

/** What changes, as a method of `BenchMesh`. */
export type ChangeKind = 'endpoints' | 'virtualService' | 'destinationRule' | 'authorizationPolicy';

/** Where proxies find a control plane, and how they know it. */
export interface ServerPlace {
  readonly port: number;
  readonly certificate: Pick<TestCertificate, 'rootPem'>;
  /** Name in its certificate; absent: `localhost`. */
  readonly serverName?: string;
}

export interface ServerReady extends ServerPlace {
  readonly certificate: TestCertificate;
}

/** The pod that a proxy is in. */
export interface ProxyPod {
  readonly token: string;
  readonly nodeId: string;
  /** From which it connects. */
  readonly address: string;
}

export interface ChangeRequest {
  readonly kind: 'change';
  readonly change: ChangeKind;
  readonly service: number;
  readonly round: number;
}

export type ServerRequest =
  | ChangeRequest
  | { readonly kind: 'measure'; readonly heap: boolean }
  /** Begins to count the virtual hosts that are built anew. */
  | { readonly kind: 'count-hosts' }
  /** Asks how many there were. */
  | { readonly kind: 'hosts' };

/** When the change was made, in ms since the epoch with fractions. */
export interface Changed {
  readonly changedAt: number;
}

export interface Counted {
  readonly counted: number;
}

/** Totals since the start of the process; the longest turn is since the last measurement. */
export interface Measurement {
  readonly cpuSeconds: number;
  readonly encoded: number;
  readonly resources: number;
  readonly pushes: number;
  readonly bytes: number;
  readonly longestTurnMs: number;
  /** Delay of the event loop since the last measurement that 99 % of its turns did not exceed. */
  readonly delayP99Ms: number;
  readonly rss: number;
  /** Bytes of heap and buffers after a collection; 0 when it was not asked for. */
  readonly heap: number;
}

export type ServerAnswer = Changed | Counted | Measurement;

/** What some proxies, one after the other, report every flush. */
export interface ProxiesReport {
  readonly first: number;
  readonly count: number;
  readonly series: readonly CountedSeries[];
  /** Of each series in each flush. */
  readonly requests: number;
}

export type ClientsRequest =
  | {
      readonly kind: 'connect';
      readonly server: ServerPlace;
      readonly first: number;
      readonly count: number;
      /** Those of all proxies of the child, by their number; absent: the number is the token. */
      readonly pods?: readonly ProxyPod[];
      /** Lists of clusters that proxies ask for by name, one after the other by turns; absent: they have all from the wildcard. */
      readonly uses?: readonly (readonly string[])[];
      /** They come back by themselves. */
      readonly lasting?: Manner;
    }
  /** The control plane is another one from now on. */
  | { readonly kind: 'server'; readonly server: ServerPlace }
  /** All come back at once, as after a lost connection. */
  | { readonly kind: 'reconnect' }
  /** Some report requests from now on. */
  | { readonly kind: 'report'; readonly reports: readonly ProxiesReport[] }
  /** Notes from now on when endpoints arrive. */
  | { readonly kind: 'record' }
  /** Asks what was noted, and ends it. */
  | { readonly kind: 'recorded' }
  /** Asks what some proxies hold. */
  | { readonly kind: 'holdings'; readonly first: number; readonly count: number }
  /** Asks for the moments at which each proxy, or each that holds endpoints of a name, acknowledged its next response of a type. */
  | { readonly kind: 'await'; readonly typeUrl: string; readonly name?: string };

/** By cluster, the moments at which its endpoints arrived at some proxy, in ms since the epoch with fractions. */
export type Arrivals = Readonly<Record<string, readonly number[]>>;

/** How a proxy that lasts behaves. */
export type Manner = 'well' | 'refuses' | 'hardly reads';

/** What a proxy holds: the same for proxies that hold the same. */
export interface Holding {
  /** By type URL. */
  readonly digest: Readonly<Record<string, string>>;
  /** How often it came back. */
  readonly returns: number;
}

export interface ClientsAnswer {
  /** Moments, in ms since the epoch with fractions, one per proxy. */
  readonly at: readonly number[];
}
