import type { XdsResource } from '../xds/resource.ts';
import type { DeltaRequest } from './request.ts';

/** A request whose names were looked up. */
export interface KnownRequest extends DeltaRequest {
  /** Names of which the proxy says that it holds the newest version. */
  readonly current: ReadonlySet<string>;
}

/** The newest state of a name. @param held version that the proxy says it has @param asked whether it asks for the name, not for all */
export type FindNewest = (name: string, held: string | undefined, asked: boolean) => XdsResource | undefined;

const NONE: ReadonlySet<string> = new Set();

/**
 * A request with the names and versions of resources that there are in place of its own equal strings, since thousands of streams keep them. A proxy that
 * comes back names thousands: each is looked up once.
 */
export function shareNames(request: DeltaRequest, find: FindNewest): KnownRequest {
  const { initialVersions } = request;
  if (request.subscribe.length === 0 && initialVersions.size === 0) return { ...request, current: NONE };
  const versions = new Map<string, string>();
  const current = new Set<string>();
  const know = (name: string, version: string | undefined, asked: boolean): string => {
    const resource = find(name, version, asked);
    const shared = resource?.name ?? name;
    if (version === undefined) return shared;
    const isNewest = resource?.version === version;
    versions.set(shared, isNewest ? resource.version : version);
    if (isNewest) current.add(shared);
    return shared;
  };
  const subscribe = request.subscribe.map((name) => know(name, initialVersions.get(name), true));
  for (const [name, version] of initialVersions) if (!versions.has(name)) know(name, version, false);
  return { ...request, subscribe, initialVersions: versions, current };
}
