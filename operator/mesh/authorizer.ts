import { authorizerOf, type ExtensionProvider, readServiceName } from '../../api/extension-provider.ts';
import { namespaceOfHostname } from './hostname.ts';
import { targetsOf } from './inbound.ts';
import { byAge } from './mesh-object.ts';
import type { PodFacts } from './pod.ts';
import { type Labels, matchSelector } from './selector.ts';
import { hostnameOf } from './service.ts';
import { matchHostOwner } from './service-entry-claim.ts';
import type { MeshSettings, ServiceKey, ServicePort } from './snapshot.ts';
import type { MeshTables } from './tables.ts';
import { isVisibleTo } from './visibility.ts';

/** Whom policies with action CUSTOM ask: a provider of the mesh's settings whose service is there. */
export interface Authorizer {
  readonly provider: ExtensionProvider;
  readonly service: ServiceKey;
}

/** Pods that answer for a provider, where its service selects some. */
export interface AuthorizerPods {
  readonly namespace: string;
  /** Without labels it selects none. */
  readonly selector: Labels;
  readonly port: Pick<ServicePort, 'targetPort'>;
}

/** A provider that can be asked, or why it can't be. */
export type FoundAuthorizer =
  | { readonly authorizer: Authorizer; readonly pods: AuthorizerPods; readonly problem?: undefined }
  | { readonly authorizer?: undefined; readonly pods?: undefined; readonly problem: string };

/**
 * Finds whom a policy asks. What a provider's service is does not depend on who asks: else a namespace could have its own pods ask somebody else, by a
 * ServiceEntry of the same host.
 * @param name of the provider
 */
export function findAuthorizer(settings: MeshSettings, tables: MeshTables, name: string): FoundAuthorizer {
  const provider = settings.extensionProviders?.find((one) => one.name === name);
  if (provider === undefined) return { problem: `the mesh configuration has no provider "${name}"` };
  const { service, port } = authorizerOf(provider).settings;
  const found = findService(settings, tables, service);
  if (typeof found === 'string') return { problem: `of the provider "${name}" ${found}` };
  const asked = found.ports.find((one) => one.port === port && one.protocol !== 'udp');
  if (asked === undefined) return { problem: `of the provider "${name}" the service ${service} has no port ${port}` };
  const { namespace, selector } = found;
  return { authorizer: { provider, service: found.key }, pods: { namespace, selector, port: asked } };
}

/** Ports at which a pod answers for a provider; of most pods none. */
export function answersAt({ namespace, selector, port }: AuthorizerPods, pod: PodFacts): number[] {
  if (pod.namespace !== namespace || Object.keys(selector).length === 0) return [];
  return matchSelector(selector, pod.labels) ? targetsOf(pod, port) : [];
}

interface FoundService {
  readonly key: ServiceKey;
  readonly namespace: string;
  readonly selector: Labels;
  readonly ports: readonly ServicePort[];
}

/** @returns what is wrong when there is none that can be asked */
function findService(settings: MeshSettings, tables: MeshTables, service: string): FoundService | string {
  const { hostname, namespace = namespaceOf(settings, tables, hostname) } = readServiceName(service);
  const owner = namespace === undefined ? undefined : matchHostOwner({ settings, tables }, namespace, hostname);
  if (owner?.kind === 'Service') {
    const facts = tables.services.get(owner.key);
    if (facts === undefined || facts.namespace !== namespace) return `nobody knows the service ${service}`;
    if (facts.kind === 'ExternalName') return `the service ${service} is an ExternalName, which has no ports`;
    const { selector, ports } = facts;
    return { key: hostnameOf(settings, owner.key), namespace, selector, ports };
  }
  if (owner === undefined || namespace === undefined) return `nobody knows the service ${service}`;
  // Where the client wanted to go is here where the request came from.
  if (owner.entry.resolution === 'original-destination') {
    return `the ServiceEntry of ${service} has the resolution NONE, and so no address`;
  }
  const { selector, ports } = owner.entry;
  return { key: `${namespace}/${hostname}`, namespace, selector, ports };
}

/** The one that a hostname names, or that of the oldest ServiceEntry which is for the root namespace too. */
function namespaceOf(settings: MeshSettings, tables: MeshTables, hostname: string): string | undefined {
  const named = namespaceOfHostname(settings, hostname);
  if (named !== undefined) return named;
  const visible = [...tables.serviceEntries.select('host', hostname)].filter(({ visibility }) =>
    isVisibleTo(visibility, settings.rootNamespace),
  );
  return visible.sort(byAge)[0]?.ref.namespace;
}
