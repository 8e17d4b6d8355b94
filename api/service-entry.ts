import { z } from 'zod';
import { istioStatus } from './istio-status.ts';
import type { PolicyStatus } from './peer-authentication.ts';
import { uint32 } from './port.ts';
import { workloadEntrySpec } from './workload-entry.ts';
import { workloadSelector } from './workload-selector.ts';

export const SERVICE_ENTRY_KIND = 'ServiceEntry';

const servicePort = z.object({
  number: uint32.describe('Port that clients call.'),
  name: z.string().describe('Name of the port, unique in the ServiceEntry.'),
  protocol: z
    .string()
    .optional()
    .describe('HTTP, HTTPS, HTTP2, GRPC, TLS, TCP, MONGO and others. Without one the first bytes tell.'),
  targetPort: uint32.optional().describe('Port that the endpoints listen on; else `number`.'),
});

/** `networking.istio.io` ServiceEntry, field for field. */
export const serviceEntrySpec = z.object({
  hosts: z.array(z.string()).describe('DNS names of the service, perhaps with a wildcard in front.'),
  addresses: z
    .array(z.string())
    .optional()
    .describe(
      'IP addresses, or ranges, that clients reach it at. Without any, its ports alone tell its TCP connections.',
    ),
  ports: z
    .array(servicePort)
    .optional()
    .describe('Ports it is called at.')
    .meta({ 'x-kubernetes-list-type': 'map', 'x-kubernetes-list-map-keys': ['name'] }),
  location: z
    .enum(['MESH_EXTERNAL', 'MESH_INTERNAL'])
    .optional()
    .describe('MESH_INTERNAL: its endpoints are of the mesh and may speak mesh mTLS. MESH_EXTERNAL: they are not.'),
  resolution: z
    .enum(['NONE', 'STATIC', 'DNS', 'DNS_ROUND_ROBIN', 'DYNAMIC_DNS'])
    .optional()
    .describe(
      'NONE: to where the client meant to connect. STATIC: to the addresses of the endpoints. DNS: to what the names of the endpoints, or else the hosts, resolve to. DNS_ROUND_ROBIN: to one of these. DYNAMIC_DNS: to what the host of the request resolves to.',
    ),
  endpoints: z.array(workloadEntrySpec).optional().describe('Where it is served.'),
  workloadSelector: workloadSelector
    .optional()
    .describe('Pods and WorkloadEntries of the namespace that serve it, instead of endpoints.'),
  exportTo: z
    .array(z.string())
    .optional()
    .describe('Namespaces that see it; "." is its own, "*" are all. Without any: all.'),
  subjectAltNames: z
    .array(z.string())
    .optional()
    .describe("Names of which the server's certificate must have one, where the sidecar begins TLS."),
});

export const serviceEntryStatus = istioStatus.extend({
  addresses: z
    .array(
      z.object({
        value: z.string().optional().describe('The address.'),
        host: z.string().optional().describe('Host it is for.'),
      }),
    )
    .optional()
    .describe('Addresses given to its hosts.'),
});

export type ServiceEntrySpec = z.infer<typeof serviceEntrySpec>;
export type ServiceEntryPort = z.infer<typeof servicePort>;

export interface ServiceEntry {
  apiVersion: string;
  kind: string;
  metadata: { name: string; namespace: string; uid?: string; generation?: number; creationTimestamp?: string };
  spec?: ServiceEntrySpec;
  status?: PolicyStatus & { addresses?: { value?: string; host?: string }[] };
}
