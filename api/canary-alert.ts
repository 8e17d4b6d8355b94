import { z } from 'zod';

/** How grave something is, mildest first. */
export const ALERT_SEVERITIES = ['info', 'warn', 'error'] as const;
export type AlertSeverity = (typeof ALERT_SEVERITIES)[number];

const alert = z.object({
  name: z.string().min(1).max(63).describe('Name of the alert.'),
  severity: z
    .enum(ALERT_SEVERITIES)
    .default('info')
    .describe('The mildest that is sent: info sends everything, error only what failed.'),
  providerRef: z
    .object({
      name: z.string().min(1).max(253).describe('Name of the AlertProvider.'),
      namespace: z.string().min(1).max(63).optional().describe('Its namespace; that of the Canary unless told.'),
    })
    .describe('Where it is sent.'),
});

export const canaryAlerts = z
  .array(alert)
  .max(16)
  .meta({ 'x-kubernetes-list-type': 'map', 'x-kubernetes-list-map-keys': ['name'] });

export type CanaryAlert = z.infer<typeof alert>;
