import { type Findings, isAddress, isDnsLabel, isDnsName, isHostOrWildcard } from './field-check.ts';

/** Name by which `gateways` means all sidecars. */
export const MESH_GATEWAY = 'mesh';

/**
 * Finds a wildcard among the hosts that covers a host and is not the same text.
 * Takes as many look-ups as the host has characters, however many hosts there are.
 */
export function coveringHost(host: string, hosts: ReadonlySet<string>): string | undefined {
  const wildcard = host.startsWith('*');
  const rest = wildcard ? host.slice(1) : host;
  // A wildcard stands for at least one character: `*.a` does not cover `.a`, and what a wildcard covers is longer than itself.
  for (let start = 1; start <= rest.length; start++) {
    const candidate = `*${rest.slice(start)}`;
    if (hosts.has(candidate)) return candidate;
  }
  return undefined;
}

/** Reports hosts that are none, are there twice, or that sidecars may not take as a whole. */
export function checkHosts(found: Findings, hosts: readonly string[], gateways: readonly string[]): void {
  const all = new Set(hosts);
  const seen = new Set<string>();
  for (const [index, host] of hosts.entries()) {
    const field = `spec.hosts[${index}]`;
    if (host === '*') {
      if (isForSidecars(gateways))
        found.error(field, 'must not be "*" for sidecars (gateway mesh); name the hosts, or the gateways it is for');
    } else if (!isHostOrWildcard(host) && !isAddress(host)) {
      found.error(field, `must be a DNS name, a wildcard such as "*.shop.example" or an address, and is "${host}"`);
      continue;
    }
    const other = seen.has(host) ? host : coveringHost(host, all);
    if (other !== undefined)
      found.error(field, `must not be covered by "${other}", which is among the hosts too; keep one`);
    seen.add(host);
  }
}

/** Whether a VirtualService with these `gateways` is for sidecars. */
export const isForSidecars = (gateways: readonly string[] = []): boolean =>
  gateways.length === 0 || gateways.includes(MESH_GATEWAY);

/** Reports names of gateways that can't be any. */
export function checkGateways(found: Findings, field: string, gateways: readonly string[] = []): void {
  for (const [index, gateway] of gateways.entries()) {
    const parts = gateway.split('/');
    const valid = parts.length === 1 ? isDnsName(gateway) : parts.length === 2 && parts.every(isDnsLabel);
    if (!valid)
      found.error(
        `${field}[${index}]`,
        `must be "${MESH_GATEWAY}" or the name of a Gateway such as "infra/public", and is "${gateway}"`,
      );
  }
}
