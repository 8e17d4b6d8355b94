import { z } from 'zod';
import { condition } from './condition.ts';

export const PEER_AUTHENTICATION_GROUP = 'security.istio.io';
export const PEER_AUTHENTICATION_VERSIONS = ['v1', 'v1beta1'] as const;
export const PEER_AUTHENTICATION_KIND = 'PeerAuthentication';

const mutualTls = z.object({ mode: z.enum(['UNSET', 'DISABLE', 'PERMISSIVE', 'STRICT']).optional() });

/** `security.istio.io` PeerAuthentication, field for field. */
export const peerAuthenticationSpec = z.object({
  selector: z.object({ matchLabels: z.record(z.string(), z.string()).optional() }).optional(),
  mtls: mutualTls.optional(),
  portLevelMtls: z.record(z.string(), mutualTls).optional(),
});

export const policyStatus = z.object({
  observedGeneration: z.int().optional(),
  conditions: z.array(condition).optional(),
});

export type PeerAuthenticationSpec = z.infer<typeof peerAuthenticationSpec>;
export type PolicyStatus = z.infer<typeof policyStatus>;

export interface PeerAuthentication {
  apiVersion: string;
  kind: string;
  metadata: { name: string; namespace: string; uid?: string; generation?: number; creationTimestamp?: string };
  spec?: PeerAuthenticationSpec;
  status?: PolicyStatus;
}
