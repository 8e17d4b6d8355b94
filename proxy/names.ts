/** Names shared by the webhook, the bootstrap and the control plane. What a pod carries of them is in `api/pod-names.ts`. */

/** Namespace Heddle lives in, and the root namespace of mesh-wide policies. */
export const SYSTEM_NAMESPACE = 'heddle-system';
/** Service of the operator; DNS name `heddle-operator.heddle-system.svc`, which its xDS certificate carries. */
export const OPERATOR_SERVICE = 'heddle-operator';
export const XDS_SERVER_NAME = `${OPERATOR_SERVICE}.${SYSTEM_NAMESPACE}.svc`;
/** Service, Deployment and both webhook configurations of the admission server. */
export const WEBHOOK_SERVICE = 'heddle-webhook';
/** Secret with the webhook's serving certificate (`tls.crt`, `tls.key`). */
export const WEBHOOK_TLS_SECRET = 'heddle-webhook-tls';
/** ConfigMap in every namespace that could hold an injected pod: `root-cert.pem` and `trust.yaml` (an SDS file). */
export const TRUST_CONFIG_MAP = 'heddle-trust';
/** Key of the trust ConfigMap that holds the SDS DiscoveryResponse with the roots inline. */
export const TRUST_SDS_KEY = 'trust.yaml';
/** Key of the trust ConfigMap that holds the roots as PEM. */
export const TRUST_PEM_KEY = 'root-cert.pem';
export const TRUST_MOUNT_PATH = '/etc/heddle/trust';
/** Projected ServiceAccount token with which a proxy proves who it is. */
export const TOKEN_MOUNT_PATH = '/var/run/secrets/heddle';
export const TOKEN_FILE = 'token';
/** Audience of that token. */
export const TOKEN_AUDIENCE = 'heddle';
/** Name of the static bootstrap cluster that reaches the operator. */
export const XDS_CLUSTER = 'heddle-xds';
/** Name, in the trust SDS file, of the validation context that guards the ADS connection. */
export const XDS_TRUST_SECRET = 'heddle-xds-trust';
/** SDS name of the workload's own certificate and key. */
export const WORKLOAD_SECRET = 'default';
/** SDS name of the mesh's trust bundle. */
export const ROOT_SECRET = 'ROOTCA';
/** How counters call an AuthorizationPolicy in dry run: one part for Envoy, which cuts names at dots. */
export function dryRunToken(namespace: string, name: string): string {
  return `dry_run/${namespace}/${name.replaceAll('.', '_')}`;
}

/** How they call a RateLimitPolicy in dry run. */
export function dryRunLimitsToken(namespace: string, name: string): string {
  return `${dryRunToken(namespace, name)}/limits`;
}

/** The counter of what policies refuse; a series for each policy of a proxy and way of refusing. */
export const REFUSED_METRIC = 'heddle_policy_refused_requests_total';

/** Cluster without endpoints whose metadata tells the script of the metrics page how the page differs from everybody's (`metrics-overrides.ts`). */
export const METRICS_PAGE_CLUSTER = 'metrics-page';
export const METRICS_PAGE_METADATA = { namespace: 'heddle', key: 'metrics_page' };
/** How families end that are counted once more with what expressions come to; no other reader of counters knows them. */
export const TAGGED_SUFFIX = '_tagged';
/** How the tags with that begin. */
export const EXPRESSION_TAG = 'x_';

/** ALPN value that marks mesh mTLS; Istio's, so both meshes' sidecars recognise each other's connections. */
export const MESH_ALPN = 'istio';

/** By which a sidecar's requests are watched over its admin interface. */
export const TAP_ID = 'heddle';
