import { z } from 'zod';
import type { CustomResource } from './custom-resource.ts';
import { HEDDLE_GROUP, HEDDLE_VERSION } from './heddle.ts';
import { AGE } from './printer-columns.ts';
import { queryProblem } from './query-template.ts';
import { withRules } from './rule.ts';

export const METRIC_TEMPLATE_KIND = 'MetricTemplate';

export const METRIC_PROVIDERS = [
  'prometheus',
  'datadog',
  'cloudwatch',
  'newrelic',
  'graphite',
  'influxdb',
  'dynatrace',
  'stackdriver',
] as const;
export type MetricProvider = (typeof METRIC_PROVIDERS)[number];

/** Whose address is not the same for everybody. */
const ADDRESSED = ['prometheus', 'graphite', 'influxdb', 'dynatrace'];
/** Who answers nobody without a key. */
const KEYED = ['datadog', 'cloudwatch', 'newrelic', 'dynatrace', 'stackdriver'];
const listed = (names: readonly string[]) => `['${names.join("', '")}']`;

const provider = withRules(
  z.object({
    type: z.enum(METRIC_PROVIDERS).describe('Whose HTTP API is asked.'),
    address: z
      .string()
      .max(2048)
      .optional()
      .describe(
        "URL of the API, e.g. http://prometheus.monitoring:9090. Addresses of the operator's own machine and link are refused.",
      ),
    secretRef: z
      .object({ name: z.string().min(1).max(253).describe('Name of the Secret, in the namespace of the template.') })
      .optional()
      .describe(
        'Credentials, under the keys that Flagger has. The operator may read no Secret of users by itself: grant its ServiceAccount get on this one by a Role.',
      ),
    insecureSkipVerify: z.boolean().default(false).describe("Takes the server's certificate unchecked."),
    region: z.string().min(1).max(63).optional().describe('Region of cloudwatch, e.g. eu-central-1.'),
  }),
  [
    {
      cel: "!has(self.address) || (isURL(self.address) && url(self.address).getScheme() in ['http', 'https'])",
      message: 'address must be a URL of http or https',
      holds: ({ address }) => address === undefined || isHttp(address),
    },
    {
      cel: `!(self.type in ${listed(ADDRESSED)}) || has(self.address)`,
      message: `address is required for ${ADDRESSED.join(', ')}`,
      holds: ({ type, address }) => !ADDRESSED.includes(type) || address !== undefined,
    },
    {
      cel: `!(self.type in ${listed(KEYED)}) || has(self.secretRef)`,
      message: `secretRef is required for ${KEYED.join(', ')}`,
      holds: ({ type, secretRef }) => !KEYED.includes(type) || secretRef !== undefined,
    },
    {
      cel: "(self.type == 'cloudwatch') == has(self.region)",
      message: 'region is required for cloudwatch, and has no meaning for others',
      holds: ({ type, region }) => (type === 'cloudwatch') === (region !== undefined),
    },
  ],
);

export const metricTemplateSpec = z.object({
  provider: provider.describe('Who is asked.'),
  query: z
    .string()
    .min(1)
    .max(16_384)
    .refine((query) => queryProblem(query) === undefined, { error: ({ input }) => queryProblem(String(input)) ?? '' })
    .describe(
      'The query, in the language of the provider. {{ name }}, {{ namespace }}, {{ target }}, {{ service }}, {{ interval }}, {{ revision }} and {{ variables.NAME }} are filled in. It must come to one number.',
    ),
});

export type MetricTemplateSpec = z.infer<typeof metricTemplateSpec>;

/** A MetricTemplate as the API server gives it. */
export interface MetricTemplate {
  apiVersion: string;
  kind: string;
  metadata: { name: string; namespace: string; uid?: string; generation?: number; resourceVersion?: string };
  spec: MetricTemplateSpec;
}

/** The kind as the CRD generator sees it. */
export const METRIC_TEMPLATE_RESOURCE: CustomResource = {
  group: HEDDLE_GROUP,
  kind: METRIC_TEMPLATE_KIND,
  plural: 'metrictemplates',
  singular: 'metrictemplate',
  shortNames: ['mt'],
  categories: ['heddle'],
  versions: [HEDDLE_VERSION],
  description: 'A MetricTemplate is a query by which Canaries judge revisions, and who answers it.',
  spec: metricTemplateSpec,
  specRequired: true,
  columns: [
    { name: 'Provider', type: 'string', jsonPath: '.spec.provider.type', description: 'Whose API is asked.' },
    AGE,
  ],
  owner: 'heddle',
};

function isHttp(address: string): boolean {
  const url = URL.parse(address);
  return url !== null && /^https?:$/.test(url.protocol) && url.username === '' && url.password === '';
}
