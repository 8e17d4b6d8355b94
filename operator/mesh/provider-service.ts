import { readServiceName } from '../../api/extension-provider.ts';
import { namespaceOfHostname } from './hostname.ts';
import { byAge } from './mesh-object.ts';
import type { Labels } from './selector.ts';
import { hostnameOf } from './service.ts';
import { matchHostOwner } from './service-entry-claim.ts';
import type { MeshSettings, ServiceKey, ServicePort } from './snapshot.ts';
import type { MeshTables } from './tables.ts';
import { isVisibleTo } from './visibility.ts';

/** The service of a provider of the mesh's settings, and the port of it that is meant. */
export interface ProviderService {
  readonly key: ServiceKey;
  readonly namespace: string;
  /** Of its pods; without labels it selects none. */
  readonly selector: Labels;
  readonly port: ServicePort;
}

/**
 * Finds the service of a provider. It does not depend on who asks: else a namespace could have its own pods ask somebody else, by a ServiceEntry of
 * the same host.
 * @returns what is wrong when there is none, to be said after "of the provider"
 */
export function findProviderService(
  settings: MeshSettings,
  tables: MeshTables,
  { service, port }: { readonly service: string; readonly port: number },
): ProviderService | string {
  const found = findService(settings, tables, service);
  if (typeof found === 'string') return found;
  const { ports, ...rest } = found;
  const asked = ports.find((one) => one.port === port && one.protocol !== 'udp');
  return asked === undefined ? `the service ${service} has no port ${port}` : { ...rest, port: asked };
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
