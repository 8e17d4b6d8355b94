import { markAuthorizationPolicy, readAuthorizationPolicy } from './authorization-policy.ts';
import { readCanary } from './canary.ts';
import { markDestinationRule, readDestinationRule } from './destination-rule.ts';
import type { DirtySet } from './dirty-set.ts';
import { readSlice } from './endpoint-slice.ts';
import type { Replacement } from './fact-table.ts';
import { type JwksFacts, readJwks } from './jwks.ts';
import type { MeshChange, MeshKind, MeshKinds } from './mesh-object.ts';
import { readNamespace } from './namespace.ts';
import { readNode } from './node.ts';
import { objectKey } from './object-ref.ts';
import { readPeerAuthentication } from './peer-authentication.ts';
import { readPod } from './pod.ts';
import { markRateLimitPolicy, readRateLimitPolicy } from './rate-limit-policy.ts';
import { markRequestAuthentication, readRequestAuthentication } from './request-authentication.ts';
import { hostnameOf, readService } from './service.ts';
import { markServiceEntry, readServiceEntry } from './service-entry.ts';
import { markSidecar, readSidecar } from './sidecar.ts';
import type { MeshSettings } from './snapshot.ts';
import type { MeshTables } from './tables.ts';
import { markTelemetry, readTelemetry } from './telemetry-facts.ts';
import { readUndiscovered } from './undiscovered.ts';
import { markVirtualService, readVirtualService } from './virtual-service.ts';
import { markWorkloadEntry, readWorkloadEntry } from './workload-entry.ts';

/** Where changes go to. */
export interface IngestionTarget {
  readonly settings: MeshSettings;
  readonly tables: MeshTables;
  readonly dirty: DirtySet;
}

type Ingest<K extends MeshKind> = (target: IngestionTarget, key: string, object: MeshKinds[K] | undefined) => void;

/** One line per kind of object: the table it goes to, how it is read, and what depends on it. */
const INGESTION: { readonly [K in MeshKind]: Ingest<K> } = {
  Namespace: ({ tables, dirty }, key, object) =>
    each(tables.namespaces.replace(key, object && readNamespace(object)), ({ name }) => dirty.markNamespace(name)),
  Node: ({ tables, dirty }, key, object) =>
    each(tables.nodes.replace(key, object && readNode(object)), ({ name }) => dirty.markNode(name)),
  Pod: ({ tables, dirty }, key, object) =>
    each(tables.pods.replace(key, object && readPod(object)), (pod) => dirty.markPod(pod)),
  Service: ({ settings, tables, dirty }, key, object) =>
    each(tables.services.replace(key, object && readService(object)), (service) => {
      dirty.markService(service);
      dirty.hostnames.add(hostnameOf(settings, service.key));
    }),
  EndpointSlice: ({ tables, dirty }, key, object) =>
    each(tables.slices.replace(key, object && readSlice(object)), ({ service }) => {
      if (service !== undefined) dirty.services.add(service);
    }),
  Canary: ({ tables, dirty }, key, object) =>
    each(tables.canaries.replace(key, object && readCanary(object)), (canary) => dirty.markCanary(canary)),
  AuthorizationPolicy: (target, key, object) =>
    each(
      target.tables.authorizationPolicies.replace(key, object && readAuthorizationPolicy(target.settings, object)),
      (facts) => markAuthorizationPolicy(target, facts),
    ),
  RequestAuthentication: (target, key, object) =>
    each(
      target.tables.requestAuthentications.replace(key, object && readRequestAuthentication(target.settings, object)),
      (facts) => markRequestAuthentication(target, facts),
    ),
  RateLimitPolicy: (target, key, object) =>
    each(
      target.tables.rateLimitPolicies.replace(key, object && readRateLimitPolicy(target.settings, object)),
      (facts) => markRateLimitPolicy(target, facts),
    ),
  Jwks: (target, key, object) =>
    each(target.tables.jwks.replace(key, object && readJwks(object)), ({ uri }: JwksFacts) => {
      for (const facts of target.tables.requestAuthentications.select('uri', uri))
        markRequestAuthentication(target, facts);
    }),
  PeerAuthentication: ({ settings, tables, dirty }, key, object) =>
    each(tables.peerAuthentications.replace(key, object && readPeerAuthentication(object)), (policy) =>
      dirty.markPeerAuthentication(policy, settings.rootNamespace),
    ),
  VirtualService: (target, key, object) =>
    each(target.tables.virtualServices.replace(key, object && readVirtualService(target.settings, object)), (facts) =>
      markVirtualService(target, facts),
    ),
  DestinationRule: (target, key, object) =>
    each(target.tables.destinationRules.replace(key, object && readDestinationRule(target.settings, object)), (facts) =>
      markDestinationRule(target, facts),
    ),
  ServiceEntry: (target, key, object) =>
    each(target.tables.serviceEntries.replace(key, object && readServiceEntry(object)), (facts) =>
      markServiceEntry(target, facts),
    ),
  WorkloadEntry: (target, key, object) =>
    each(target.tables.workloadEntries.replace(key, object && readWorkloadEntry(object)), (facts) =>
      markWorkloadEntry(target, facts),
    ),
  Sidecar: (target, key, object) =>
    each(target.tables.sidecars.replace(key, object && readSidecar(target.settings, object)), (facts) =>
      markSidecar(target, facts),
    ),
  Telemetry: (target, key, object) =>
    each(target.tables.telemetries.replace(key, object && readTelemetry(target.settings, object)), (facts) =>
      markTelemetry(target, facts),
    ),
};

/** Takes one change into the tables and marks what depends on it. */
export function ingest(target: IngestionTarget, change: MeshChange): void {
  const { kind, key, object, undiscovered } = change;
  each(target.tables.undiscovered.replace(`${kind}/${key}`, readUndiscovered(change)), ({ ref }) =>
    target.dirty.undiscovered.add(objectKey(ref)),
  );
  // The registry and the change are both typed by kind, which TypeScript does not relate across a lookup.
  const apply = INGESTION[kind] as Ingest<MeshKind>;
  apply(target, key, undiscovered === true ? undefined : object);
}

function each<Facts>(replacement: Replacement<Facts> | undefined, mark: (facts: Facts) => void): void {
  if (replacement?.before !== undefined) mark(replacement.before);
  if (replacement?.after !== undefined) mark(replacement.after);
}
