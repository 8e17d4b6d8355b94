import { z } from 'zod';
import type { Condition } from './condition.ts';
import { istioStatus } from './istio-status.ts';
import { withRules } from './rule.ts';

export const PEER_AUTHENTICATION_KIND = 'PeerAuthentication';

const mutualTls = z.object({
  mode: z
    .enum(['UNSET', 'DISABLE', 'PERMISSIVE', 'STRICT'])
    .optional()
    .describe(
      'STRICT: mTLS alone. PERMISSIVE: mTLS and plaintext. DISABLE: plaintext. UNSET: as the wider scope says.',
    ),
});

const portLevelMtls = withRules(z.record(z.string(), mutualTls), [
  {
    cel: 'self.all(port, 0 < int(port) && int(port) <= 65535)',
    message: 'port must be between 1-65535',
    holds: (ports) => Object.keys(ports).every((port) => /^[0-9]{1,5}$/.test(port) && +port > 0 && +port <= 65_535),
  },
]).meta({ minProperties: 1, maxProperties: 4096 });

const fields = z.object({
  selector: z
    .object({ matchLabels: z.record(z.string(), z.string()).optional().describe('Labels the pods must have.') })
    .optional()
    .describe('Pods it is about. Without one: the namespace, or, in the root namespace, the whole mesh.'),
  mtls: mutualTls.optional().describe('Mode of all ports.'),
  portLevelMtls: portLevelMtls.optional().describe('Mode of single ports, by container port. Needs a selector.'),
});

/** `security.istio.io` PeerAuthentication, field for field. */
export const peerAuthenticationSpec = withRules(fields, [
  {
    cel: '(has(self.selector) && has(self.selector.matchLabels) && self.selector.matchLabels.size() > 0) || !has(self.portLevelMtls)',
    message: 'portLevelMtls requires selector',
    holds: ({ selector, portLevelMtls }) =>
      portLevelMtls === undefined || Object.keys(selector?.matchLabels ?? {}).length > 0,
  },
]);

export const policyStatus = istioStatus;

export type PeerAuthenticationSpec = z.infer<typeof peerAuthenticationSpec>;

/** What of Istio's status schema Heddle writes. */
export interface PolicyStatus {
  observedGeneration?: number | undefined;
  conditions?: Condition[] | undefined;
}

export interface PeerAuthentication {
  apiVersion: string;
  kind: string;
  metadata: { name: string; namespace: string; uid?: string; generation?: number; creationTimestamp?: string };
  spec?: PeerAuthenticationSpec;
  status?: PolicyStatus;
}
