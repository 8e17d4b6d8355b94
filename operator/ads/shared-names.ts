import type { XdsResource } from '../xds/resource.ts';
import type { DeltaRequest } from './request.ts';

/**
 * A request with the names and versions of resources that there are in place of its own equal strings, since thousands of streams keep them.
 * @param find the newest state of a name
 */
export function shareNames(request: DeltaRequest, find: (name: string) => XdsResource | undefined): DeltaRequest {
  const { subscribe, initialVersions } = request;
  if (subscribe.length === 0 && initialVersions.size === 0) return request;
  const versions = new Map<string, string>();
  for (const [name, version] of initialVersions) {
    const resource = find(name);
    versions.set(resource?.name ?? name, resource?.version === version ? resource.version : version);
  }
  return { ...request, subscribe: subscribe.map((name) => find(name)?.name ?? name), initialVersions: versions };
}
