import { bytes, goldenLines, goldenStats, percentiles } from './calls-panels.ts';
import { type Dashboard, lines, type Variable } from './dashboard.ts';
import { CALLS, labelled } from './queries.ts';

const SERVED = 'reporter="destination",destination_workload_namespace="$namespace",destination_workload="$workload"';
const CALLED = 'reporter="source",source_workload_namespace="$namespace",source_workload="$workload"';

/** A sidecar counts as its own what it serves and what it calls; some do one of both alone. */
function own(name: string, label: string, title: string, selector = ''): Variable {
  const of = (reporter: string) => {
    const matchers = selector === '' ? '' : `,${reporter}_${selector}`;
    return labelled(`{${CALLS},reporter="${reporter}"${matchers}}`, name, `${reporter}_${label}`);
  };
  const query = `count by (${name}) (${of('source')} or ${of('destination')})`;
  return { name, label: title, from: { of: 'query', query } };
}

/** What sidecars say of themselves has no workload: it is theirs whose page says what the workload called or served. */
const OF_SIDECARS = `and on (instance) ({${CALLS},${SERVED}} or {${CALLS},${CALLED}})`;

function ofSidecar(metric: string): string {
  return `sum by (instance) (${metric}) ${OF_SIDECARS}`;
}

/** One workload: what it serves, what it calls, and its sidecars. */
export const WORKLOAD: Dashboard = {
  uid: 'heddle-workload',
  title: 'Heddle / Workload',
  description: 'One workload: what its sidecars serve and call, and what they take.',
  variables: [
    own('namespace', 'workload_namespace', 'Namespace'),
    own('workload', 'workload', 'Workload', 'workload_namespace="$namespace"'),
  ],
  sections: [
    { title: 'What it serves', panels: [...goldenStats(SERVED), percentiles(SERVED), bytes(SERVED)] },
    goldenLines(
      'By caller',
      SERVED,
      'source_workload_namespace, source_workload',
      '{{source_workload_namespace}}/{{source_workload}}',
    ),
    { title: 'What it calls', panels: [...goldenStats(CALLED), percentiles(CALLED), bytes(CALLED)] },
    goldenLines('By service', CALLED, 'destination_service', '{{destination_service}}'),
    {
      title: 'Its sidecars',
      panels: [
        lines('Memory', 'Resident.', 'bytes', ofSidecar('envoy_server_memory_physical_size'), '{{instance}}'),
        lines(
          'Requests under way',
          'In both directions.',
          'short',
          ofSidecar('envoy_http_downstream_rq_active'),
          '{{instance}}',
        ),
        lines(
          'Connections to others',
          'Of all clusters.',
          'short',
          ofSidecar('envoy_cluster_upstream_cx_active'),
          '{{instance}}',
        ),
        lines(
          'Connections taken',
          'Of all listeners.',
          'short',
          ofSidecar('envoy_listener_downstream_cx_active'),
          '{{instance}}',
        ),
      ],
    },
  ],
};
