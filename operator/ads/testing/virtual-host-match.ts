/**
 * The virtual host that Envoy chooses for an authority: the one with its name, else the one with the longest wildcard that covers it, else the one for
 * all; ports do not count.
 * @param hosts domains of each by name
 */
export function hostFor(authority: string, hosts: ReadonlyMap<string, readonly string[]>): string | undefined {
  const name = authority.replace(/:\d+$/, '');
  let best: string | undefined;
  let length = -1;
  for (const [host, domains] of hosts) {
    for (const domain of domains) {
      if (domain === name) return host;
      const isCovered = domain.startsWith('*') && name.length >= domain.length && name.endsWith(domain.slice(1));
      if (!(isCovered || domain === '*') || domain.length <= length) continue;
      best = host;
      length = domain.length;
    }
  }
  return best;
}
