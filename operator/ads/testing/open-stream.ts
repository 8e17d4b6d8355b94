import { create, fromBinary, toBinary } from '@bufbuild/protobuf';
import {
  DeltaDiscoveryResponseSchema,
  ResourceSchema,
} from '../../../generated/envoy/envoy/service/discovery/v3/discovery_pb.js';
import {
  CLUSTER_TYPE,
  ENDPOINT_TYPE,
  LISTENER_TYPE,
  ROUTE_TYPE,
  VIRTUAL_HOST_TYPE,
  type XdsResource,
} from '../../xds/resource.ts';
import { ResourceRegistry } from '../resource-registry.ts';
import { ProxyStream } from '../stream.ts';
import { STREAM_SETTINGS, type StreamEvents } from '../stream-settings.ts';
import type { WorkloadMemory } from '../workload-memory.ts';
import { BLANK_REQUEST } from './blank-request.ts';
import { wholeMessage } from './whole-message.ts';

const PROXY = { uid: 'u', podName: 'p', namespace: 'n', serviceAccount: 's' };
const TYPES = [CLUSTER_TYPE, ENDPOINT_TYPE, LISTENER_TYPE, ROUTE_TYPE, VIRTUAL_HOST_TYPE];

/**
 * A stream of which a test plays the proxy. `sent` has each response as `TYPE NAMES -REMOVED`; answers go to the newest of a type.
 * @param memory what workloads use; with it, clusters whose names begin with `lazy` are sent on demand
 */
export function openStream(settings = STREAM_SETTINGS, memory?: WorkloadMemory, uid = PROXY.uid) {
  const table = new Map<string, XdsResource>();
  const sent: string[] = [];
  const nonces = new Map<string, string>();
  const source = {
    typeUrls: TYPES,
    wildcard: (_: unknown, typeUrl: string) =>
      new Map([...table.values()].filter((one) => one.typeUrl === typeUrl).map((one) => [one.name, one])),
    lookup: (_: unknown, typeUrl: string, name: string) => table.get(`${typeUrl} ${name}`),
    members: (typeUrl: string, collection: string) =>
      [...table.values()]
        .filter((one) => one.typeUrl === typeUrl && one.name.startsWith(`${collection}/`))
        .map(({ name }) => name),
    inWildcard: (_: unknown, __: string, name: string) => memory === undefined || !name.startsWith('lazy'),
    wildcardNames: (_: unknown, typeUrl: string) =>
      [...table.values()]
        .filter((one) => one.typeUrl === typeUrl && source.inWildcard(_, typeUrl, one.name))
        .map(({ name }) => name),
    onChange: () => () => undefined,
  };
  const events: StreamEvents = {
    write: (message) => {
      const { typeUrl, nonce, resources, removedResources } = fromBinary(
        DeltaDiscoveryResponseSchema,
        wholeMessage(message),
      );
      nonces.set(typeUrl, nonce);
      const named = [
        ...resources.map(({ name, version }) => `${name}@${version}`),
        ...removedResources.map((n) => `-${n}`),
      ];
      sent.push(`${typeUrl.split('.').at(-1)} ${named.join()}`);
    },
    pushed: () => undefined,
    answered: () => undefined,
  };
  const stream = new ProxyStream({ ...PROXY, uid }, new ResourceRegistry([source]), settings, events, memory);
  const changed = (typeUrl: string, name: string): void => {
    stream.mark(new Map([[typeUrl, new Set([name])]]));
    stream.pump();
  };
  return {
    sent,
    changed,
    /** @param phase of a cluster */
    put: (typeUrl: string, name: string, version: string, phase?: XdsResource['phase']): void => {
      const bytes = toBinary(ResourceSchema, create(ResourceSchema, { name, version }));
      table.set(`${typeUrl} ${name}`, { typeUrl, name, version, bytes, ...(phase && { phase }) });
      changed(typeUrl, name);
    },
    remove: (typeUrl: string, name: string): void => {
      table.delete(`${typeUrl} ${name}`);
      changed(typeUrl, name);
    },
    ask: (typeUrl: string, ...subscribe: string[]): void => stream.receive({ ...BLANK_REQUEST, typeUrl, subscribe }),
    /** The first request of a type on a new stream. @param held versions that the proxy says it has */
    resume: (typeUrl: string, held: Record<string, string>, ...subscribe: string[]): void => {
      const initialVersions = new Map(Object.entries(held));
      stream.receive({ ...BLANK_REQUEST, typeUrl, subscribe, initialVersions });
    },
    /** @param nonce of a response that is acknowledged with it; '': none is */
    leave: (typeUrl: string, nonce: string, ...unsubscribe: string[]): void =>
      stream.receive({ ...BLANK_REQUEST, typeUrl, unsubscribe, nonce }),
    refuse: (typeUrl: string, error: string): void =>
      stream.receive({ ...BLANK_REQUEST, typeUrl, nonce: nonces.get(typeUrl) ?? '', error }),
    inForce: (typeUrl: string, name: string) => stream.subscription(typeUrl)?.acknowledged(name),
    nonceOf: (typeUrl: string): string => nonces.get(typeUrl) ?? '',
    acknowledge: (typeUrl: string): void =>
      stream.receive({ ...BLANK_REQUEST, typeUrl, nonce: nonces.get(typeUrl) ?? '' }),
    close: (): void => stream.close(),
  };
}
