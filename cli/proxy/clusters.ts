import { readClusterName } from './cluster-name.ts';
import type { Held } from './config-dump.ts';
import type { Cluster } from './envoy-json.ts';
import type { Line, Section } from './section.ts';

export const CLUSTERS: Section = {
  header: ['service fqdn', 'port', 'subset', 'direction', 'type', 'tls'],
  wide: ['revision', 'lb', 'state', 'version'],
  lines: ({ clusters }) => clusters.map(lineOf),
};

function lineOf({ resource: cluster, state, version, error }: Held<Cluster>): Line {
  const { host, revision, ...facts } = readClusterName(cluster.name ?? '');
  const { port, subset, direction } = facts;
  return {
    facts,
    cells: [
      host || '-',
      `${port ?? '-'}`,
      subset || '-',
      direction ?? '-',
      cluster.type ?? cluster.cluster_type?.name ?? 'STATIC',
      tlsOf(cluster),
    ],
    wide: [
      revision || '-',
      cluster.lb_policy ?? 'ROUND_ROBIN',
      error === undefined ? state : `refused: ${error}`,
      version || '-',
    ],
    raw: cluster,
  };
}

/** `mTLS` where the endpoints that take it get it; `TLS`; `-` for none. */
function tlsOf({ transport_socket_matches: matches = [], transport_socket: socket }: Cluster): string {
  if (matches.some(({ name }) => name === 'mesh')) return 'mTLS';
  return socket?.name === 'envoy.transport_sockets.tls' || socket?.name === 'tls' ? 'TLS' : '-';
}
