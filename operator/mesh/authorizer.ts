import { authorizerOf, type ExtensionProvider, isAuthorizer } from '../../api/extension-provider.ts';
import { targetsOf } from './inbound.ts';
import type { PodFacts } from './pod.ts';
import { findProviderService } from './provider-service.ts';
import { type Labels, matchSelector } from './selector.ts';
import type { MeshSettings, ServiceKey, ServicePort } from './snapshot.ts';
import type { MeshTables } from './tables.ts';

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
  if (!isAuthorizer(provider)) return { problem: `the provider "${name}" is none that can be asked` };
  const found = findProviderService(settings, tables, authorizerOf(provider).settings);
  if (typeof found === 'string') return { problem: `of the provider "${name}" ${found}` };
  const { key, namespace, selector, port } = found;
  return { authorizer: { provider, service: key }, pods: { namespace, selector, port } };
}

/** Ports at which a pod answers for a provider; of most pods none. */
export function answersAt({ namespace, selector, port }: AuthorizerPods, pod: PodFacts): number[] {
  if (pod.namespace !== namespace || Object.keys(selector).length === 0) return [];
  return matchSelector(selector, pod.labels) ? targetsOf(pod, port) : [];
}
