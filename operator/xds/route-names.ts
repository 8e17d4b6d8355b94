import { coversHostname, isWildcard } from '../mesh/hostname.ts';
import type { Hostname } from '../mesh/snapshot.ts';
import type { AliasTable } from './aliases.ts';
import type { RuleIndex } from './rule-index.ts';

/** Names by which routes may lead to hosts: their own, those that stand for them, and, of a ServiceEntry of many hosts, those that it covers. */
export function routeNames(
  { aliases, rules }: { readonly aliases: AliasTable; readonly rules: RuleIndex },
  hostnames: Iterable<Hostname>,
): Set<Hostname> {
  const found = aliases.withAliases(hostnames);
  for (const hostname of [...found]) {
    if (!isWildcard(hostname)) continue;
    for (const name of rules.allDestinations()) if (coversHostname(hostname, name)) found.add(name);
  }
  return found;
}
