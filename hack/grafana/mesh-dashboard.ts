import { goldenLines, goldenStats } from './calls-panels.ts';
import { type Dashboard, lines, type Table } from './dashboard.ts';
import {
  duration,
  failedShare,
  mutualShare,
  OF_NAMESPACES,
  perSecond,
  REQUEST,
  REQUESTS,
  upstream,
  upstreamPerSecond,
} from './queries.ts';
import { SERVICE_NAMESPACE, SIDE } from './variables.ts';

const SERVICE = 'destination_service';
/** Hosts of the namespaces chosen. */
const HOSTS = '[^|.]+[.]($namespace)[.]svc[.][^|]+';

const services: Table = {
  kind: 'table',
  title: 'Services',
  description: 'All that was called. A click on a name shows one.',
  key: { label: SERVICE, title: 'Service', leadsTo: { uid: 'heddle-service', variable: 'service' } },
  columns: [
    { title: 'Requests', unit: 'reqps', expr: perSecond(REQUESTS, `${OF_NAMESPACES},${REQUEST}`, SERVICE) },
    { title: 'Failed', unit: 'percentunit', expr: failedShare(OF_NAMESPACES, SERVICE) },
    { title: 'p50', unit: 'ms', expr: duration(0.5, OF_NAMESPACES, SERVICE) },
    { title: 'p99', unit: 'ms', expr: duration(0.99, OF_NAMESPACES, SERVICE) },
    { title: 'Mutual TLS', unit: 'percentunit', expr: mutualShare(OF_NAMESPACES, SERVICE) },
  ],
};

/** All Services at a glance. */
export const MESH: Dashboard = {
  uid: 'heddle-mesh',
  title: 'Heddle / Mesh',
  description: 'The golden metrics of all services.',
  variables: [SERVICE_NAMESPACE, SIDE],
  sections: [
    { title: 'Now', panels: [...goldenStats(OF_NAMESPACES), services] },
    goldenLines('By service', OF_NAMESPACES, SERVICE, '{{destination_service}}'),
    {
      title: 'How full',
      panels: [
        lines(
          'Waiting requests',
          'Requests that wait at callers for a connection.',
          'short',
          upstream('rq_pending_active', HOSTS),
          '{{service}}',
        ),
        lines(
          'Refused by a full pool',
          'Requests that callers gave up as too many waited.',
          'reqps',
          upstreamPerSecond('rq_pending_overflow', HOSTS),
          '{{service}}',
        ),
        lines('Largest sidecar', 'Resident memory.', 'bytes', 'max(envoy_server_memory_physical_size)', 'largest'),
        lines('Sidecars', 'Those scraped that serve.', 'short', 'count(envoy_server_state == 0)', 'serving'),
      ],
    },
  ],
};
