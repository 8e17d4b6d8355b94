import { readClusterName } from './cluster-name.ts';
import { formatAddress, type HostStatus } from './envoy-json.ts';
import type { Line, Section } from './section.ts';

/** As Envoy uses them at this moment: what its health checks and outlier detection found too. */
export const ENDPOINTS: Section = {
  header: ['endpoint', 'status', 'outlier check', 'cluster'],
  wide: ['locality', 'priority', 'weight', 'connections', 'requests', 'errors'],
  lines: ({ endpoints }) =>
    endpoints.flatMap(({ name = '', host_statuses = [] }) => {
      const { host: _, revision: __, ...facts } = readClusterName(name);
      return host_statuses.map((status) => lineOf(name, facts, status));
    }),
};

function lineOf(cluster: string, facts: Line['facts'], host: HostStatus): Line {
  const { region, zone, sub_zone } = host.locality ?? {};
  const stat = (name: string): string => {
    const found = host.stats?.find((one) => one.name === name);
    // Envoy leaves a value of 0 out.
    return found === undefined ? '-' : `${found.value ?? 0}`;
  };
  const failures = failuresOf(host);
  return {
    facts,
    cells: [
      formatAddress(host.address),
      failures.length === 0 ? 'HEALTHY' : failures.join(','),
      host.health_status?.failed_outlier_check === true ? 'FAILED' : 'OK',
      cluster,
    ],
    wide: [
      [region, zone, sub_zone].filter((part) => part).join('/') || '-',
      `${host.priority ?? 0}`,
      `${host.weight ?? 1}`,
      stat('cx_active'),
      stat('rq_total'),
      stat('rq_error'),
    ],
    raw: { cluster, ...host },
  };
}

/** What keeps it from being used. */
function failuresOf({ health_status: status = {} }: HostStatus): string[] {
  const eds = status.eds_health_status;
  const said = typeof eds === 'string' && eds !== 'HEALTHY' && eds !== 'UNKNOWN' ? [eds] : [];
  const failed = Object.entries(status).filter(([name, value]) => value === true && name.startsWith('failed_'));
  return [...said, ...failed.map(([name]) => name.replace('failed_', '').toUpperCase())];
}
