import { z } from 'zod';
import { httpUrl } from './canary-webhook.ts';
import { conditions } from './condition.ts';
import type { CustomResource } from './custom-resource.ts';
import { HEDDLE_GROUP, HEDDLE_VERSION } from './heddle.ts';
import { AGE } from './printer-columns.ts';
import { withRules } from './rule.ts';

export const ALERT_PROVIDER_KIND = 'AlertProvider';

/** What understands alerts; Flagger's names, and `webhook` for anything that takes JSON. */
export const ALERT_PROVIDER_TYPES = ['slack', 'msteams', 'discord', 'rocket', 'gchat', 'webhook'] as const;

const fields = z.object({
  type: z.enum(ALERT_PROVIDER_TYPES).describe('In whose format alerts are sent.'),
  channel: z.string().min(1).max(80).optional().describe('Channel, where the provider lets a sender choose one.'),
  username: z.string().min(1).max(80).default('heddle').describe('Under what name alerts appear.'),
  address: httpUrl
    .optional()
    .describe('URL that alerts are sent to. Such URLs are secrets with most providers: prefer secretRef.'),
  secretRef: z
    .object({ name: z.string().min(1).max(253).describe('Name of a Secret in this namespace.') })
    .optional()
    .describe('Secret whose key address has the URL. The operator may read it only if a Role lets it.'),
  proxy: httpUrl.optional().describe('HTTP proxy that alerts go through.'),
});

export const alertProviderSpec = withRules(fields, [
  {
    cel: 'has(self.address) != has(self.secretRef)',
    message: 'give exactly one of address and secretRef',
    holds: ({ address, secretRef }) => (address === undefined) !== (secretRef === undefined),
  },
]);

export const alertProviderStatus = z.object({ conditions: conditions.optional() });

export type AlertProviderSpec = z.infer<typeof alertProviderSpec>;

/** An AlertProvider as the API server gives it. */
export interface AlertProvider {
  apiVersion: string;
  kind: string;
  metadata: { name: string; namespace: string; uid?: string; generation?: number; resourceVersion?: string };
  spec: AlertProviderSpec;
  status?: z.infer<typeof alertProviderStatus>;
}

/** The kind as the CRD generator sees it. */
export const ALERT_PROVIDER_RESOURCE: CustomResource = {
  group: HEDDLE_GROUP,
  kind: ALERT_PROVIDER_KIND,
  plural: 'alertproviders',
  singular: 'alertprovider',
  shortNames: ['alp'],
  categories: ['heddle'],
  versions: [HEDDLE_VERSION],
  description: 'An AlertProvider says where people hear of releases.',
  spec: alertProviderSpec,
  specRequired: true,
  status: alertProviderStatus,
  columns: [
    { name: 'Type', type: 'string', jsonPath: '.spec.type', description: 'In whose format alerts are sent.' },
    {
      name: 'Delivered',
      type: 'string',
      jsonPath: '.status.conditions[?(@.type=="Delivered")].status',
      description: 'Whether the last alert was taken.',
    },
    AGE,
  ],
  owner: 'heddle',
};
