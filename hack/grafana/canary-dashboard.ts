import { type Dashboard, lines, type Variable } from './dashboard.ts';
import { labelled } from './queries.ts';

/** A Prometheus that names the namespace of the pod it scrapes calls that of the Canary `exported_namespace`. */
const EXPORTED = 'exported_namespace';

/** Series of the Canaries chosen, with their own namespace. */
function ofCanaries(metric: string, wrap = (series: string) => series, more = ''): string {
  const of = (namespace: string) => wrap(`${metric}{${namespace}=~"$namespace",canary=~"$canary"${more}}`);
  return labelled(`(${of('namespace')} or ${of(EXPORTED)})`, 'namespace', EXPORTED);
}

const grown = (series: string) => `increase(${series}[$__rate_interval])`;
const ALL = labelled('heddle_canary_weight', 'namespace', EXPORTED);
const OF_NAMESPACE = `heddle_canary_weight{namespace=~"$namespace"} or heddle_canary_weight{${EXPORTED}=~"$namespace"}`;

const variables: Variable[] = [
  {
    name: 'namespace',
    label: 'Namespace',
    from: { of: 'query', query: `count by (namespace) (${ALL})` },
    multiple: true,
  },
  {
    name: 'canary',
    label: 'Canary',
    from: { of: 'query', query: `count by (canary) (${OF_NAMESPACE})` },
    multiple: true,
  },
];

const ONE = 'namespace, canary';
const NAME = '{{namespace}}/{{canary}}';

/** Releases as they go. */
export const CANARY: Dashboard = {
  uid: 'heddle-canary',
  title: 'Heddle / Canary',
  description: 'Releases: where they stand, and what the last check came to.',
  variables,
  sections: [
    {
      title: 'Where it stands',
      panels: [
        lines(
          'Weight',
          'Of the requests, to the new revision.',
          'percent',
          `max by (${ONE}) (${ofCanaries('heddle_canary_weight')})`,
          NAME,
        ),
        lines(
          'Phase',
          '1 for the present one.',
          'short',
          `max by (${ONE}, phase) (${ofCanaries('heddle_canary_phase')}) == 1`,
          `${NAME} {{phase}}`,
        ),
        lines(
          'Failed checks',
          'In this release.',
          'short',
          `max by (${ONE}) (${ofCanaries('heddle_canary_failed_checks')})`,
          NAME,
        ),
        lines(
          'Events',
          'By reason, checks that passed or failed among them.',
          'short',
          `sum by (${ONE}, reason) (${ofCanaries('heddle_canary_events_total', grown)})`,
          `${NAME} {{reason}}`,
        ),
      ],
    },
    {
      title: 'The last check',
      panels: [
        lines(
          'New revision',
          'Value of each metric, in its own unit.',
          'short',
          `max by (${ONE}, metric) (${ofCanaries('heddle_canary_metric', undefined, ',revision="canary"')})`,
          `${NAME} {{metric}}`,
        ),
        lines(
          'Stable revision',
          'The same, of the revision that serves; where it is compared.',
          'short',
          `max by (${ONE}, metric) (${ofCanaries('heddle_canary_metric', undefined, ',revision="stable"')})`,
          `${NAME} {{metric}}`,
        ),
        lines(
          'Evidence against it',
          'At 1 the revision fails.',
          'percentunit',
          `max by (${ONE}, metric) (${ofCanaries('heddle_canary_metric_evidence')})`,
          `${NAME} {{metric}}`,
        ),
        lines(
          'MetricTemplates',
          'What queries came to.',
          'short',
          'sum by (result) (increase(heddle_canary_template_queries_total[$__rate_interval]))',
          '{{result}}',
        ),
      ],
    },
  ],
};
