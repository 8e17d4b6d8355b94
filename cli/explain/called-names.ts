import { resolveHostname } from '../../operator/mesh/hostname.ts';
import type { MeshService, MeshSettings, MeshSnapshot } from '../../operator/mesh/snapshot.ts';

/**
 * Hostnames that a name may stand for in a namespace, the likeliest first: itself, and with what resolvers of pods put behind it.
 * @param host as the caller writes it; a dot at its end makes it whole
 */
export function calledNames(settings: MeshSettings, namespace: string, host: string): string[] {
  const name = resolveHostname(settings, namespace, host);
  const { clusterDomain } = settings;
  return host.endsWith('.') ? [name] : [name, `${name}.svc.${clusterDomain}`, `${name}.${clusterDomain}`];
}

/** The Service that a name stands for to who has no sidecar; undefined: there is none, and a ServiceEntry is nothing to them. */
export function serviceByDns(
  { services, settings }: MeshSnapshot,
  namespace: string,
  host: string,
): MeshService | undefined {
  const name = calledNames(settings, namespace, host).find((one) => services.has(one));
  return name === undefined ? undefined : services.get(name);
}
