import { tryRun } from './command.ts';
import { ALL_PODS_PREFIX, CNI_NETWORK } from './layout.ts';

/** The comment on the one rule we add ourselves. */
const MASQUERADE_COMMENT = 'heddle local cluster';

const MASQUERADE_RULE = [
  ...['-s', ALL_PODS_PREFIX, '!', '-d', ALL_PODS_PREFIX],
  ...['-m', 'comment', '--comment', MASQUERADE_COMMENT, '-j', 'MASQUERADE'],
];

const TABLES = ['filter', 'nat', 'mangle', 'raw'] as const;

/** Lets pods reach the world outside with the host's address. Adding it twice adds it once. */
export async function allowPodsOut(): Promise<void> {
  const present = await tryRun('iptables', ['-w', '-t', 'nat', '-C', 'POSTROUTING', ...MASQUERADE_RULE]);
  if (present.code === 0) return;
  const added = await tryRun('iptables', ['-w', '-t', 'nat', '-A', 'POSTROUTING', ...MASQUERADE_RULE]);
  if (added.code !== 0) throw new Error(`iptables refused the rule that lets pods out: ${added.stderr.trim()}`);
}

/**
 * From the rules of a table as `iptables-save` prints them, the ones that stay when the cluster goes, in the same format. What goes: kube-proxy's and
 * kubelet's chains (KUBE-*), the chains of our CNI network (CNI-*), our own rule, and every rule that jumps to one of those chains.
 */
export function withoutClusterRules(saved: string): string {
  const lines = saved.split('\n');
  const ours = (line: string): boolean =>
    line.includes(`name: \\"${CNI_NETWORK}\\"`) || line.includes(`"${MASQUERADE_COMMENT}"`);
  const doomed = new Set<string>();
  for (const line of lines) {
    const chain = declaredChain(line);
    if (chain?.startsWith('KUBE-') === true) doomed.add(chain);
    const target = jumpTarget(line);
    if (target?.startsWith('CNI-') === true && ours(line)) doomed.add(target);
  }
  // The portmap plugin's shared chains go when only our network used them.
  const portmapUsers = lines.filter((line) => /^-A CNI-HOSTPORT-DNAT /.test(line));
  if (portmapUsers.every(ours)) {
    for (const line of lines) {
      const chain = declaredChain(line);
      if (chain?.startsWith('CNI-HOSTPORT-') === true) doomed.add(chain);
    }
  }
  const goes = (line: string): boolean =>
    ours(line) ||
    doomed.has(declaredChain(line) ?? '') ||
    doomed.has(ruleChain(line) ?? '') ||
    doomed.has(jumpTarget(line) ?? '');
  return lines.filter((line) => !goes(line)).join('\n');
}

function declaredChain(line: string): string | undefined {
  return /^:(\S+)/.exec(line)?.[1];
}

function ruleChain(line: string): string | undefined {
  return /^-A (\S+)/.exec(line)?.[1];
}

function jumpTarget(line: string): string | undefined {
  return /^-A .* -[jg] (\S+)/.exec(line)?.[1];
}

/** The tables that exist now, as `FAMILY NAME`, so that those the cluster brought can be told from those that were there. */
export async function firewallTables(): Promise<string[]> {
  const listed = await tryRun('nft', ['list', 'tables']);
  return listed.stdout.split('\n').flatMap((line) => /^table (\S+ \S+)/.exec(line)?.[1] ?? []);
}

/**
 * Removes the cluster's rules from every iptables table, IPv4 and IPv6, and then the tables that were not in `tablesBefore` and
 * hold no rule any more. Other rules stay as they are.
 */
export async function removeClusterRules(tablesBefore: readonly string[] | undefined): Promise<void> {
  for (const family of ['iptables', 'ip6tables']) {
    for (const table of TABLES) {
      const saved = await tryRun(`${family}-save`, ['-t', table]);
      if (saved.code !== 0) continue;
      const kept = withoutClusterRules(saved.stdout);
      if (kept === saved.stdout) continue;
      const restored = await tryRun(`${family}-restore`, ['-w', '-T', table], { input: kept });
      if (restored.code !== 0)
        throw new Error(`${family}-restore refused the remaining rules of ${table}: ${restored.stderr.trim()}`);
    }
  }
  if (tablesBefore === undefined) return;
  for (const table of await firewallTables()) {
    if (tablesBefore.includes(table) || !/^ip6? (filter|nat|mangle|raw)$/.test(table)) continue;
    const rules = await tryRun('nft', ['list', 'table', ...table.split(' ')]);
    if (isEmptyTable(rules.stdout)) await tryRun('nft', ['delete', 'table', ...table.split(' ')]);
  }
}

/** Whether a table, as `nft list table` prints it, holds nothing but base chains that accept. */
export function isEmptyTable(listed: string): boolean {
  return listed
    .split('\n')
    .map((line) => line.trim())
    .every(
      (line) =>
        line === '' || line === '}' || /^(table|chain) \S.*\{$/.test(line) || /^type .* policy accept;$/.test(line),
    );
}
