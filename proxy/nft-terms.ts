/** Pieces of nftables rules. What comes in must have been validated: it is written as it is. */

/** A chain as lines within a table. @param base type, hook and priority of a base chain; none for one that others jump to */
export function buildChain(name: string, base: string | undefined, rules: readonly string[]): string[] {
  const head = base === undefined ? [] : [`    ${base}; policy accept;`];
  return [`  chain ${name} {`, ...head, ...rules.map((rule) => `    ${rule}`), '  }'];
}

/** One rule per range: sets refuse ranges that overlap, and a list as the user wrote it may well overlap. */
export function rangeRules(cidrs: readonly string[], verdict: string): string[] {
  return cidrs.map((cidr) => `${cidr.includes(':') ? 'ip6' : 'ip'} daddr ${cidr} ${verdict}`);
}

export function portSet(ports: readonly number[]): string {
  return `{ ${[...new Set(ports)].sort((a, b) => a - b).join(', ')} }`;
}

export function interfaceSet(interfaces: readonly string[]): string {
  return `{ ${[...new Set(interfaces)].map((name) => `"${name}"`).join(', ')} }`;
}
