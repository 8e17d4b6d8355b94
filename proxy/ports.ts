/** Ports of the data plane. They are Istio's, so that firewalls, dashboards and habits carry over. */

/** Envoy's admin interface, on loopback only. */
export const ADMIN_PORT = 15000;
/** Where redirected outbound TCP arrives. */
export const OUTBOUND_PORT = 15001;
/** Where redirected inbound TCP arrives. */
export const INBOUND_PORT = 15006;
/** The operator's xDS port (delta ADS and the metrics service, TLS). */
export const XDS_PORT = 15012;
/** The webhook's HTTPS port inside its pod. */
export const WEBHOOK_PORT = 15017;
/** Plaintext listener that answers kubelet's rewritten application probes. */
export const PROBE_PORT = 15020;
/** Plaintext listener with `/healthz/ready`: 200 once the sidecar has its configuration. */
export const HEALTH_PORT = 15021;
/** Envoy's Prometheus endpoint. */
export const METRICS_PORT = 15090;
/** The user and group Envoy runs as; traffic of this uid is never redirected, so no application may share it. */
export const PROXY_UID = 1337;
/** Source address of connections from Envoy to the local application; traffic from it is never redirected. */
export const INBOUND_PASSTHROUGH_SOURCE = '127.0.0.6';
