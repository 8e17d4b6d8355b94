/** Ports of the data plane. They are Istio's, so that firewalls, dashboards and habits carry over. */

/** Envoy's admin interface, on loopback only. */
export const ADMIN_PORT = 15000;
/** Where redirected outbound TCP arrives. */
export const OUTBOUND_PORT = 15001;
/** Where redirected inbound TCP arrives. */
export const INBOUND_PORT = 15006;
/** The operator's xDS port (delta ADS and the metrics service, TLS). */
export const XDS_PORT = 15012;
/** The operator's page and its JSON, on loopback only: who may forward a port to its pod may look. */
export const DASHBOARD_PORT = 15016;
/** The webhook's HTTPS port inside its pod. */
export const WEBHOOK_PORT = 15017;
/** Plaintext listener that answers kubelet's rewritten application probes. */
export const PROBE_PORT = 15020;
/** Plaintext listener with `/healthz/ready`: 200 once the sidecar has its configuration. */
export const HEALTH_PORT = 15021;
/** Envoy's Prometheus endpoint. */
export const METRICS_PORT = 15090;
/** Where captured DNS questions arrive (UDP), on loopback only. */
export const DNS_PORT = 15053;
/** The user and group Envoy runs as; traffic of this uid is never redirected, so no application may share it. */
export const PROXY_UID = 1337;
/** Source address of connections from Envoy to the local application; traffic from it is never redirected. */
export const INBOUND_PASSTHROUGH_SOURCE = '127.0.0.6';
/** The same for IPv6 pods: the one other address every loopback has. */
export const INBOUND_PASSTHROUGH_SOURCE_V6 = '::1';
/** First of the plaintext ports that stand in for an application's gRPC probe ports, one per port probed. */
export const GRPC_PROBE_PORT_BASE = 15031;
/** How many gRPC ports of one pod can be probed. */
export const GRPC_PROBE_PORT_COUNT = 10;
/** Ports of ours that answer in plaintext and are never redirected inbound. */
export const PLAINTEXT_PORTS: readonly number[] = [PROBE_PORT, HEALTH_PORT, METRICS_PORT];

const PROXY_PORTS = new Set([ADMIN_PORT, OUTBOUND_PORT, INBOUND_PORT, DNS_PORT, ...PLAINTEXT_PORTS]);

/** Whether the sidecar listens on the port itself, or may. */
export function isProxyPort(port: number): boolean {
  const probe = port - GRPC_PROBE_PORT_BASE;
  return PROXY_PORTS.has(port) || (probe >= 0 && probe < GRPC_PROBE_PORT_COUNT);
}
