import { z } from 'zod';
import type { PolicyStatus } from './peer-authentication.ts';
import { uint32 } from './port.ts';
import { sidecarTls } from './sidecar-tls.ts';
import { connectionPool } from './traffic-policy-connection-pool.ts';
import { workloadSelector } from './workload-selector.ts';

export const SIDECAR_KIND = 'Sidecar';

const sidecarPort = z.object({
  number: uint32.optional().describe('Port to listen on.'),
  protocol: z.string().optional().describe('HTTP, HTTPS, HTTP2, GRPC, TLS, TCP, MONGO and others.'),
  name: z.string().optional().describe('Name of the port.'),
  targetPort: uint32.optional().describe('Has no effect.'),
});

const captureMode = z
  .enum(['DEFAULT', 'IPTABLES', 'NONE'])
  .optional()
  .describe('IPTABLES: connections are redirected to the listener. NONE: the application calls it at its address.');

const ingressListener = z.object({
  port: sidecarPort.describe('Port that callers call.'),
  bind: z.string().optional().describe('IP address to listen on.'),
  captureMode,
  defaultEndpoint: z
    .string()
    .optional()
    .describe('Where the application listens: 127.0.0.1:PORT, [::1]:PORT, or 0.0.0.0:PORT for the address of the pod.'),
  tls: sidecarTls.optional().describe('TLS that callers outside of the mesh speak.'),
  connectionPool: connectionPool.optional().describe('Limits of what the port takes.'),
});

const egressListener = z.object({
  port: sidecarPort.optional().describe('Port it is about. Without one: all that no other listener has.'),
  bind: z.string().optional().describe('IP address to listen on.'),
  captureMode,
  hosts: z
    .array(z.string())
    .describe('Hosts in the form NAMESPACE/NAME; "." is the own namespace, "*" is any, "~/*" is nothing.'),
});

const egressProxy = z.object({
  host: z.string().describe('Host of the proxy.'),
  subset: z.string().optional().describe('Subset of it.'),
  port: z.object({ number: uint32.optional() }).optional().describe('Port of it.'),
});

/** `networking.istio.io` Sidecar, field for field. */
export const sidecarSpec = z.object({
  workloadSelector: workloadSelector.optional().describe('Pods it is about. Without one: all of the namespace.'),
  ingress: z
    .array(ingressListener)
    .optional()
    .describe('Ports that the pods serve, instead of those their Services name.'),
  egress: z
    .array(egressListener)
    .optional()
    .describe('Hosts that the pods see. Without it: all that are exported to them.'),
  outboundTrafficPolicy: z
    .object({
      mode: z
        .enum(['REGISTRY_ONLY', 'ALLOW_ANY'])
        .optional()
        .describe('What becomes of connections to hosts that the pods do not see: refused, or let through.'),
      egressProxy: egressProxy.optional().describe('Where such connections go.'),
    })
    .optional()
    .describe("Connections to unknown hosts. Without it: as the mesh's configuration says."),
  inboundConnectionPool: connectionPool.optional().describe('Limits of what each port of the pods takes.'),
});

export type SidecarSpec = z.infer<typeof sidecarSpec>;
export type SidecarIngressListener = z.infer<typeof ingressListener>;
export type SidecarEgressListener = z.infer<typeof egressListener>;

export interface Sidecar {
  apiVersion: string;
  kind: string;
  metadata: { name: string; namespace: string; uid?: string; generation?: number; creationTimestamp?: string };
  spec?: SidecarSpec;
  status?: PolicyStatus;
}
