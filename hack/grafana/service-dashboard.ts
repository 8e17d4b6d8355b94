import { bytes, goldenLines, goldenStats, percentiles } from './calls-panels.ts';
import { type Dashboard, lines } from './dashboard.ts';
import { CALLS, mutualShare, perSecond, REQUESTS, upstream, upstreamPerSecond } from './queries.ts';
import { SERVICE, SERVICE_NAMESPACE, SIDE } from './variables.ts';

const OF_SERVICE = 'reporter="$reporter",destination_service="$service"';
const CALLER = 'source_workload_namespace, source_workload';
const CALLER_LEGEND = '{{source_workload_namespace}}/{{source_workload}}';
const REVISION = 'destination_workload, destination_canonical_revision';

/** One Service, from all sides. */
export const SERVICE_DASHBOARD: Dashboard = {
  uid: 'heddle-service',
  title: 'Heddle / Service',
  description: 'One service: who calls it, what its revisions do, how long it takes, what it answers, how full it is.',
  variables: [SERVICE_NAMESPACE, SERVICE, SIDE],
  sections: [
    { title: 'Now', panels: [...goldenStats(OF_SERVICE), percentiles(OF_SERVICE), bytes(OF_SERVICE)] },
    goldenLines('By caller', OF_SERVICE, CALLER, CALLER_LEGEND),
    goldenLines('By revision', OF_SERVICE, REVISION, '{{destination_workload}} {{destination_canonical_revision}}'),
    {
      title: 'Answers',
      panels: [
        lines(
          'Codes',
          'Of HTTP; 0: the caller left before there was one.',
          'reqps',
          perSecond(REQUESTS, OF_SERVICE, 'response_code'),
          '{{response_code}}',
        ),
        lines(
          'Statuses of gRPC',
          '0 is well.',
          'reqps',
          perSecond(REQUESTS, `${OF_SERVICE},request_protocol="grpc"`, 'grpc_response_status'),
          '{{grpc_response_status}}',
        ),
        lines(
          'Flags',
          'Why Envoy answered or ended a call itself.',
          'ops',
          perSecond('', `${CALLS},${OF_SERVICE},response_flags!="-"`, 'response_flags'),
          '{{response_flags}}',
        ),
        lines(
          'Mutual TLS by caller',
          'Share of requests and connections.',
          'percentunit',
          mutualShare(OF_SERVICE, CALLER),
          CALLER_LEGEND,
        ),
      ],
    },
    {
      title: 'How full',
      panels: [
        lines('Requests under way', 'At all callers.', 'short', upstream('rq_active', '$service'), '{{service}}'),
        lines(
          'Waiting requests',
          'Requests that wait at callers for a connection.',
          'short',
          upstream('rq_pending_active', '$service'),
          '{{service}}',
        ),
        lines('Connections', 'Of all callers.', 'short', upstream('cx_active', '$service'), '{{service}}'),
        {
          kind: 'lines',
          title: 'Overflows',
          description: 'What a full pool of a caller refused.',
          unit: 'ops',
          queries: [
            { expr: upstreamPerSecond('rq_pending_overflow', '$service'), legend: 'requests' },
            { expr: upstreamPerSecond('cx_overflow', '$service'), legend: 'connections' },
          ],
        },
      ],
    },
  ],
};
