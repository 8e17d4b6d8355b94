import { z } from 'zod';
import type { PolicyStatus } from './peer-authentication.ts';
import { uint32 } from './port.ts';

export const WORKLOAD_ENTRY_KIND = 'WorkloadEntry';

/** `networking.istio.io` WorkloadEntry, field for field. Also the form of a ServiceEntry's endpoints. */
export const workloadEntrySpec = z.object({
  address: z
    .string()
    .optional()
    .describe('IP address of the workload, or a DNS name where its ServiceEntry resolves names.'),
  ports: z
    .record(z.string(), uint32)
    .optional()
    .describe('Where the workload listens, by the name of the port of the ServiceEntry. Others: its targetPort.'),
  labels: z.record(z.string(), z.string()).optional().describe('Labels that selectors and subsets see.'),
  network: z.string().optional().describe('Network the address belongs to.'),
  locality: z.string().optional().describe('Where it is: region, region/zone or region/zone/subzone.'),
  weight: uint32.optional().describe('Its share of the requests, next to the weights of the others.'),
  serviceAccount: z
    .string()
    .optional()
    .describe('ServiceAccount whose identity the workload has, if it has a sidecar.'),
});

export type WorkloadEntrySpec = z.infer<typeof workloadEntrySpec>;

export interface WorkloadEntry {
  apiVersion: string;
  kind: string;
  metadata: {
    name: string;
    namespace: string;
    uid?: string;
    generation?: number;
    creationTimestamp?: string;
    labels?: Record<string, string>;
  };
  spec?: WorkloadEntrySpec;
  status?: PolicyStatus;
}
