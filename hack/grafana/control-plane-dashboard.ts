import { type Dashboard, type Lines, lines, type Panel, type Stat, type Unit } from './dashboard.ts';
import { perSecond, quantile } from './queries.ts';

/** What every process of its kind counts is the operator's where it serves streams. */
function ofOperator(metric: string): string {
  return `${metric} and on (instance, job) heddle_ads_connected_proxies`;
}

function now(title: string, description: string, unit: Unit, query: string): Stat {
  return { kind: 'stat', title, description, unit, query };
}

const acknowledgement: Lines = {
  kind: 'lines',
  title: 'Until it is acknowledged',
  description: 'From a response to its ACK or NACK.',
  unit: 's',
  queries: [0.5, 0.99].map((q) => ({
    expr: quantile(q, 'heddle_ads_acknowledgement_seconds', '', 'type'),
    legend: `p${q * 100} {{type}}`,
  })),
};

const eventLoop: Lines = {
  kind: 'lines',
  title: 'Event loop delay',
  description: 'How late the operator is to what is due.',
  unit: 's',
  queries: ['p50', 'p99', 'max'].map((part) => ({
    expr: ofOperator(`nodejs_eventloop_lag_${part}_seconds`),
    legend: `${part} {{instance}}`,
  })),
};

const streams: Panel[] = [
  lines('Proxies', 'With a stream.', 'short', 'heddle_ads_connected_proxies', '{{instance}}'),
  lines(
    'Waiting connections',
    'Whose TLS handshake has not begun.',
    'short',
    'heddle_ads_waiting_connections',
    '{{instance}}',
  ),
  lines('Pushes', 'Responses sent.', 'ops', perSecond('heddle_ads_pushes_total', '', 'type'), '{{type}}'),
  lines('Bytes', 'Sent.', 'Bps', perSecond('heddle_ads_pushed_bytes_total', '', 'type'), '{{type}}'),
  lines('Resources', 'Sent.', 'ops', perSecond('heddle_ads_pushed_resources_total', '', 'type'), '{{type}}'),
  acknowledgement,
  lines(
    'NACKs',
    'Responses that proxies rejected.',
    'ops',
    perSecond('heddle_ads_rejections_total', '', 'type'),
    '{{type}}',
  ),
  lines(
    'Refused streams',
    'By status of gRPC.',
    'ops',
    perSecond('heddle_ads_refused_streams_total', '', 'code'),
    '{{code}}',
  ),
  lines(
    'Encoded resources',
    'Each once for all proxies.',
    'ops',
    perSecond('heddle_xds_encoded_resources_total', '', 'instance'),
    '{{instance}}',
  ),
  lines(
    'Encoded bytes',
    'Each once for all proxies.',
    'Bps',
    perSecond('heddle_xds_encoded_bytes_total', '', 'instance'),
    '{{instance}}',
  ),
];

const certificates: Panel[] = [
  lines(
    'Time left',
    'Until a certificate of the control plane expires.',
    's',
    'min by (certificate) (heddle_certificate_expiry_timestamp_seconds) - time()',
    '{{certificate}}',
  ),
  lines(
    'Phase of the rotation',
    '1 for the present one.',
    'short',
    'max by (phase) (heddle_root_rotation_phase) == 1',
    '{{phase}}',
  ),
  lines(
    'Workload certificates',
    'Held for connected proxies.',
    'short',
    'heddle_workload_certificates',
    '{{instance}}',
  ),
  {
    kind: 'lines',
    title: 'Issued and refused',
    description: 'Workload certificates issued, and secrets that proxies may not have.',
    unit: 'ops',
    queries: [
      { expr: perSecond('heddle_workload_certificates_issued_total', ''), legend: 'issued' },
      { expr: perSecond('heddle_secret_requests_refused_total', ''), legend: 'refused' },
    ],
  },
];

/** The operator itself. */
export const CONTROL_PLANE: Dashboard = {
  uid: 'heddle-control-plane',
  title: 'Heddle / Control plane',
  description: 'The operator: streams, pushes, acknowledgements, certificates, what waits, and what it takes.',
  variables: [],
  sections: [
    {
      title: 'Now',
      panels: [
        now('Proxies', 'With a stream.', 'short', 'sum(heddle_ads_connected_proxies)'),
        now('NACKs', 'Responses that proxies rejected.', 'ops', perSecond('heddle_ads_rejections_total', '')),
        now('Waits to be worked on', 'In all queues.', 'short', 'sum(heddle_queue_depth)'),
        now(
          'Next certificate expires in',
          'Of the control plane.',
          's',
          'min(heddle_certificate_expiry_timestamp_seconds) - time()',
        ),
      ],
    },
    { title: 'Streams', panels: streams },
    { title: 'Certificates', panels: certificates },
    {
      title: 'The process',
      panels: [
        lines('Queues', 'What waits.', 'short', 'sum by (queue) (heddle_queue_depth)', '{{queue}}'),
        eventLoop,
        lines(
          'CPU',
          'Of one core.',
          'percentunit',
          ofOperator('rate(process_cpu_seconds_total[$__rate_interval])'),
          '{{instance}}',
        ),
        lines('Memory', 'Resident.', 'bytes', ofOperator('process_resident_memory_bytes'), '{{instance}}'),
      ],
    },
    {
      title: 'What it remembers',
      panels: [
        lines('Edges', 'Of the graph.', 'short', 'heddle_history_edges', '{{instance}}'),
        lines('Entries', 'Of the history, of 12 bytes each.', 'short', 'heddle_history_entries', '{{instance}}'),
        lines('Edges left out', 'As they are too many.', 'short', 'heddle_history_left_out_edges', '{{instance}}'),
        lines('Pages', 'Open event streams of the dashboard.', 'short', 'heddle_dashboard_streams', '{{instance}}'),
      ],
    },
  ],
};
