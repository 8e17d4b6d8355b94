import { z } from 'zod';
import { checkPercent, checkPort, type Findings, isAddress, isDnsName } from './field-check.ts';
import { NULLABLE } from './spec-reader.ts';
import { checkConnectionPool, connectionPool } from './traffic-policy-connection-pool.ts';
import { checkLoadBalancer, loadBalancer } from './traffic-policy-load-balancer.ts';
import { checkOutlierDetection, outlierDetection } from './traffic-policy-outlier.ts';
import { checkTls, clientTls } from './traffic-policy-tls.ts';

const shared = {
  loadBalancer: loadBalancer.optional().describe('How an endpoint is chosen.'),
  connectionPool: connectionPool.optional().describe('How much may go to the host at once.'),
  outlierDetection: outlierDetection.optional().describe('When an endpoint that fails is left out for a while.'),
  tls: clientTls.optional().describe('How connections to the host are secured.'),
};

/** Istio's PortTrafficPolicy. It stands for the whole policy on its port: what it leaves out has its default. */
const portTrafficPolicy = z.object({
  port: z
    .object({ number: z.int().optional().describe('Number of the port.') })
    .optional()
    .describe('Port of the Service.'),
  ...shared,
});

/** Istio's TrafficPolicy. */
export const trafficPolicy = z.object({
  ...shared,
  portLevelSettings: z.array(portTrafficPolicy).optional().describe('Policies of single ports, in place of this one.'),
  tunnel: z
    .object({
      protocol: z.string().optional().describe('CONNECT or POST.'),
      targetHost: z.string().describe('Host at the end of the tunnel.'),
      targetPort: z.int().describe('Port at the end of the tunnel.'),
    })
    .optional()
    .describe('Tunnel of TCP through the host.'),
  proxyProtocol: z
    .object({ version: z.enum(['V1', 'V2']).optional().describe('Version; V1 when left out.') })
    .optional()
    .describe('PROXY protocol towards the host.'),
  retryBudget: z
    .object({
      percent: z
        .number()
        .optional()
        .describe('Percentage of the requests under way that may be retries; 20 when left out.')
        .meta(NULLABLE),
      minRetryConcurrency: z.int().optional().describe('Retries under way that are always allowed; 3 when left out.'),
    })
    .optional()
    .describe('How many retries there may be, in place of maxRetries.'),
});

export type PortTrafficPolicy = z.infer<typeof portTrafficPolicy>;
export type TrafficPolicy = z.infer<typeof trafficPolicy>;

/**
 * Reports what can't be right about a policy.
 * @param field its path, as in `spec.subsets[0].trafficPolicy`
 */
export function checkTrafficPolicy(found: Findings, field: string, policy: TrafficPolicy): void {
  if (Object.values(policy).every((part) => part === undefined)) found.warn(field, 'is empty, and so has no effect');
  checkShared(found, field, policy);
  const ports = new Set<number>();
  for (const [index, settings] of (policy.portLevelSettings ?? []).entries()) {
    checkPortPolicy(found, `${field}.portLevelSettings[${index}]`, settings, ports);
  }
  if (policy.tunnel !== undefined) checkTunnel(found, `${field}.tunnel`, policy.tunnel);
  if (policy.tunnel !== undefined && policy.proxyProtocol !== undefined) {
    found.error(`${field}.proxyProtocol`, 'must not stand beside tunnel; keep one');
  }
  const budget = policy.retryBudget;
  if (budget === undefined) return;
  checkPercent(found, `${field}.retryBudget.percent`, budget.percent);
  if ((budget.minRetryConcurrency ?? 0) < 0)
    found.error(`${field}.retryBudget.minRetryConcurrency`, 'must not be negative');
  if (policy.connectionPool?.http?.maxRetries !== undefined) {
    found.warn(`${field}.connectionPool.http.maxRetries`, 'has no effect beside retryBudget; keep one');
  }
}

function checkShared(found: Findings, field: string, policy: PortTrafficPolicy | TrafficPolicy): void {
  const { loadBalancer: balancer, connectionPool: pool, outlierDetection: outlier, tls } = policy;
  if (balancer !== undefined) checkLoadBalancer(found, `${field}.loadBalancer`, balancer, outlier !== undefined);
  if (pool !== undefined) checkConnectionPool(found, `${field}.connectionPool`, pool);
  if (outlier !== undefined) checkOutlierDetection(found, `${field}.outlierDetection`, outlier);
  if (tls !== undefined) checkTls(found, `${field}.tls`, tls);
}

function checkPortPolicy(found: Findings, field: string, settings: PortTrafficPolicy, ports: Set<number>): void {
  const number = settings.port?.number;
  if (number === undefined) found.error(`${field}.port.number`, 'must be the number of a port of the Service');
  else if (ports.has(number))
    found.warn(`${field}.port.number`, `is ${number} again; the first entry for a port counts`);
  else ports.add(number);
  checkPort(found, `${field}.port.number`, number);
  const { port: _, ...rest } = settings;
  if (Object.values(rest).every((part) => part === undefined))
    found.warn(field, 'sets nothing: the port gets the defaults in place of the policy');
  checkShared(found, field, settings);
}

function checkTunnel(found: Findings, field: string, tunnel: NonNullable<TrafficPolicy['tunnel']>): void {
  if (tunnel.protocol && tunnel.protocol !== 'CONNECT' && tunnel.protocol !== 'POST')
    found.error(`${field}.protocol`, 'must be CONNECT or POST');
  if (!isDnsName(tunnel.targetHost) && !isAddress(tunnel.targetHost)) {
    found.error(`${field}.targetHost`, `must be a DNS name or an address, and is "${tunnel.targetHost}"`);
  }
  checkPort(found, `${field}.targetPort`, tunnel.targetPort);
}
