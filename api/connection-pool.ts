import { z } from 'zod';
import type { Findings } from './field-check.ts';
import { checkDuration } from './istio-duration.ts';
import { int32, uint32 } from './port.ts';

const duration = z.string();

const tcpKeepalive = z.object({
  probes: uint32.optional().describe('Unanswered probes after which the connection counts as dead.'),
  time: duration.optional().describe('Idle time before the first probe.'),
  interval: duration.optional().describe('Time between probes.'),
});

const tcpSettings = z.object({
  maxConnections: int32.optional().describe('Most connections to one destination.'),
  connectTimeout: duration.optional().describe('How long a connection may take to come about.'),
  tcpKeepalive: tcpKeepalive.optional().describe('Keep-alive probes of the socket.'),
  maxConnectionDuration: duration.optional().describe('Longest life of a connection.'),
  idleTimeout: duration.optional().describe('How long a TCP connection may be idle; 0s for ever.'),
});

const httpSettings = z.object({
  http1MaxPendingRequests: int32.optional().describe('Most requests that wait for a connection.'),
  http2MaxRequests: int32.optional().describe('Most requests under way to a destination, of any HTTP version.'),
  maxRequestsPerConnection: int32.optional().describe('Requests after which a connection is closed; 0: no limit.'),
  maxRetries: int32.optional().describe('Most retries under way to all endpoints at once.'),
  idleTimeout: duration.optional().describe('How long a connection without requests stays open.'),
  h2UpgradePolicy: z
    .enum(['DEFAULT', 'DO_NOT_UPGRADE', 'UPGRADE'])
    .optional()
    .describe('Whether HTTP/1.1 requests go on as HTTP/2.'),
  useClientProtocol: z.boolean().optional().describe('Whether requests go on in the HTTP version they came in.'),
  maxConcurrentStreams: int32.optional().describe('Most streams at once on one HTTP/2 connection.'),
});

/** Istio's ConnectionPoolSettings, of a DestinationRule or of a Sidecar's inbound side. */
export const connectionPool = z.object({
  tcp: tcpSettings.optional().describe('Settings of connections, HTTP ones included.'),
  http: httpSettings.optional().describe('Settings of HTTP.'),
});

export type ConnectionPool = z.infer<typeof connectionPool>;

/**
 * Reports settings that Istio refuses.
 * @param field path of the settings, as in `spec.trafficPolicy.connectionPool`
 */
export function checkConnectionPool(found: Findings, field: string, pool: ConnectionPool | undefined): void {
  if (pool === undefined) return;
  const { tcp, http } = pool;
  if (tcp === undefined && http === undefined) found.error(field, 'must have tcp or http; write one or remove it');
  for (const [group, settings] of Object.entries({ tcp, http })) {
    for (const [name, value] of Object.entries(settings ?? {})) {
      if (typeof value === 'number' && value < 0) {
        found.error(`${field}.${group}.${name}`, `must not be negative, and is ${value}`);
      }
    }
  }
  checkDuration(found, `${field}.tcp.connectTimeout`, tcp?.connectTimeout);
  checkDuration(found, `${field}.tcp.maxConnectionDuration`, tcp?.maxConnectionDuration);
  checkDuration(found, `${field}.tcp.idleTimeout`, tcp?.idleTimeout, true);
  checkDuration(found, `${field}.tcp.tcpKeepalive.time`, tcp?.tcpKeepalive?.time);
  checkDuration(found, `${field}.tcp.tcpKeepalive.interval`, tcp?.tcpKeepalive?.interval);
  checkDuration(found, `${field}.http.idleTimeout`, http?.idleTimeout);
  if (http?.h2UpgradePolicy === 'UPGRADE' && http.useClientProtocol === true) {
    found.error(
      `${field}.http.useClientProtocol`,
      'must not be true with h2UpgradePolicy UPGRADE; keep one of the two',
    );
  }
}
