/** One xDS resource, encoded once and shared by every proxy that sees the same content. */
export interface XdsResource {
  /** `type.googleapis.com/envoy.config.cluster.v3.Cluster` and so on. */
  readonly typeUrl: string;
  readonly name: string;
  /** Hash of the content: equal content has an equal version, on every replica and after every restart. */
  readonly version: string;
  /** Of a cluster: in which part of its start Envoy makes it ready (`Cluster::InitializePhase`); those with EDS come second. */
  readonly phase?: 'primary' | 'secondary';
  /** A whole encoded `envoy.service.discovery.v3.Resource` (name, version, aliases, resource as Any). */
  readonly bytes: Uint8Array;
}

/** Who asks: an authenticated proxy. */
export interface ProxyIdentity {
  /** UID of its pod. */
  readonly uid: string;
  readonly podName: string;
  readonly namespace: string;
  readonly serviceAccount: string;
}

/** A change of resources, as told to the streams. */
export interface ResourceChange {
  /** Names that may differ for this proxy now, by type URL; undefined when nothing does. */
  affected(proxy: ProxyIdentity): ReadonlyMap<string, ReadonlySet<string>> | undefined;
}

/** The resource that answers a name which a proxy asks for. */
export interface Answer {
  readonly name: string;
  /**
   * What it answers besides: its own names alone (`some`), names that others answer rather, see `companions` (`covered`), or whatever no other does
   * (`all`). `unknown`: it is made for this name, which nobody has.
   */
  readonly kind: 'some' | 'covered' | 'all' | 'unknown';
}

/** Anything that gives resources to streams: the xDS cache, and the certificates (secrets). */
export interface ResourceSource {
  readonly typeUrls: readonly string[];
  /** Everything of a type that a wildcard subscription gets. */
  wildcard(proxy: ProxyIdentity, typeUrl: string): ReadonlyMap<string, XdsResource>;
  /** Names of the same, where they cost less than that; at least these. */
  wildcardNames?(proxy: ProxyIdentity, typeUrl: string): Iterable<string>;
  /** Names of what anybody may have in a collection: of resources whose names have the collection's and a slash in front. Absent: there are none. */
  members?(typeUrl: string, collection: string): Iterable<string>;
  /**
   * One resource by name; undefined when it does not exist for this proxy.
   * @param held version that the proxy says it holds, or was sent; absent: none
   */
  lookup(proxy: ProxyIdentity, typeUrl: string, name: string, held?: string): XdsResource | undefined;
  /** Whether a wildcard subscription gets a name that `lookup` knows; absent where it gets them all. */
  inWildcard?(proxy: ProxyIdentity, typeUrl: string, name: string): boolean;
  /**
   * Whether it is being found out if a name that `lookup` answers undefined exists: the proxy is told nothing until a change says so. To be told that
   * it does not exist ends Envoy's wait for a first answer. `held`: what the proxy has is good until then. Absent where all is known at once.
   */
  isPending?(proxy: ProxyIdentity, typeUrl: string, name: string): boolean | 'held';
  /** Whether a proxy is sent resources of the type one by one, when it asks. Absent: no proxy is. */
  isOneByOne?(proxy: ProxyIdentity, typeUrl: string): boolean;
  /** What a proxy needs that asks for a name which may be of no resource: a virtual host by a request's authority. Undefined: there is nothing. */
  answer?(proxy: ProxyIdentity, typeUrl: string, asked: string): Answer | undefined;
  /** Number of the state of what answers what: with the same, `answer` and `companions` say the same. Absent: there is no `answer`. */
  answersState?(typeUrl: string): number;
  /**
   * Names of what a proxy is to have along with a resource: virtual hosts that it would not ask for any more, or clusters of which it would have to wait
   * for each as soon as routes lead there instead. Absent: nothing.
   */
  companions?(proxy: ProxyIdentity, typeUrl: string, name: string): Iterable<string>;
  /** Name of the resource in a collection that answers whatever no other does. Absent: there is none. */
  fallback?(typeUrl: string, collection: string): string | undefined;
  /** Calls back at each change; gives a function that ends that. */
  onChange(listener: (change: ResourceChange) => void): () => void;
}

export const CLUSTER_TYPE = 'type.googleapis.com/envoy.config.cluster.v3.Cluster';
export const ENDPOINT_TYPE = 'type.googleapis.com/envoy.config.endpoint.v3.ClusterLoadAssignment';
export const LISTENER_TYPE = 'type.googleapis.com/envoy.config.listener.v3.Listener';
export const ROUTE_TYPE = 'type.googleapis.com/envoy.config.route.v3.RouteConfiguration';
export const VIRTUAL_HOST_TYPE = 'type.googleapis.com/envoy.config.route.v3.VirtualHost';
export const SECRET_TYPE = 'type.googleapis.com/envoy.extensions.transport_sockets.tls.v3.Secret';
