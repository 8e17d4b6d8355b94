import { z } from 'zod';
import type { Findings } from './field-check.ts';
import { checkDuration } from './istio-duration.ts';

/** Istio's ConnectionPoolSettings. */
export const connectionPool = z.object({
  tcp: z
    .object({
      maxConnections: z.int().optional().describe('Connections of a sidecar to the host at most.'),
      connectTimeout: z.string().optional().describe('How long connecting may take; 10s when left out.'),
      tcpKeepalive: z
        .object({
          probes: z.int().optional().describe('Unanswered probes after which a connection is given up.'),
          time: z.string().optional().describe('Idle time before the first probe.'),
          interval: z.string().optional().describe('Time between two probes.'),
        })
        .optional()
        .describe('TCP keepalive.'),
      maxConnectionDuration: z.string().optional().describe('How long a connection may last.'),
      idleTimeout: z.string().optional().describe('How long a connection may be idle; 0s: for ever.'),
    })
    .optional()
    .describe('Limits on connections, of HTTP and TCP.'),
  http: z
    .object({
      http1MaxPendingRequests: z.int().optional().describe('Requests that wait for a connection at most.'),
      http2MaxRequests: z.int().optional().describe('Requests under way at most.'),
      maxRequestsPerConnection: z
        .int()
        .optional()
        .describe('Requests after which a connection is closed; 1: no keep-alive.'),
      maxRetries: z.int().optional().describe('Retries under way at most.'),
      idleTimeout: z.string().optional().describe('How long a connection without requests is kept.'),
      h2UpgradePolicy: z
        .enum(['DEFAULT', 'DO_NOT_UPGRADE', 'UPGRADE'])
        .optional()
        .describe('Whether HTTP/1.1 goes to the host as HTTP/2.'),
      useClientProtocol: z.boolean().optional().describe("Call the host with the client's version of HTTP."),
      maxConcurrentStreams: z.int().optional().describe('Streams of an HTTP/2 connection at most.'),
    })
    .optional()
    .describe('Limits on HTTP requests.'),
});

export type ConnectionPool = z.infer<typeof connectionPool>;

/** Limits where 0 stands for the default, which is none. */
const LIMITS = ['maxConnections', 'http1MaxPendingRequests', 'http2MaxRequests', 'maxRetries'];
/** Bounds of 32-bit fields of Envoy. */
const MAX_INT32 = 2_147_483_647;

/** Reports limits that can't be right, and those without effect. */
export function checkConnectionPool(found: Findings, field: string, { tcp, http }: ConnectionPool): void {
  if (tcp === undefined && http === undefined) found.error(field, 'must have tcp or http');
  if (tcp !== undefined) {
    checkNumbers(found, `${field}.tcp`, tcp);
    for (const name of ['connectTimeout', 'maxConnectionDuration'] as const) {
      checkDuration(found, `${field}.tcp.${name}`, tcp[name]);
    }
    checkDuration(found, `${field}.tcp.idleTimeout`, tcp.idleTimeout, true);
    checkNumbers(found, `${field}.tcp.tcpKeepalive`, tcp.tcpKeepalive ?? {});
    checkDuration(found, `${field}.tcp.tcpKeepalive.time`, tcp.tcpKeepalive?.time);
    checkDuration(found, `${field}.tcp.tcpKeepalive.interval`, tcp.tcpKeepalive?.interval);
  }
  if (http === undefined) return;
  checkNumbers(found, `${field}.http`, http);
  checkDuration(found, `${field}.http.idleTimeout`, http.idleTimeout);
  if (http.h2UpgradePolicy === 'UPGRADE' && http.useClientProtocol === true) {
    found.error(`${field}.http.useClientProtocol`, 'must not be true beside h2UpgradePolicy UPGRADE; keep one');
  }
}

function checkNumbers(found: Findings, field: string, settings: Readonly<Record<string, unknown>>): void {
  for (const [name, value] of Object.entries(settings)) {
    if (typeof value !== 'number') continue;
    if (value < 0 || value > MAX_INT32)
      found.error(`${field}.${name}`, `must be from 0 to ${MAX_INT32}, and is ${value}`);
    else if (value === 0 && LIMITS.includes(name))
      found.warn(`${field}.${name}`, 'is 0, which sets no limit; write 1 or more');
  }
}
