/** Names in a pod that the webhook writes and the control plane reads. */

/** Container name of the sidecar. Istio's, so that `kubectl logs -c istio-proxy` and the tools of others find it. */
export const PROXY_CONTAINER = 'istio-proxy';
/** Container name of the init container that loads the redirection rules. */
export const INIT_CONTAINER = 'heddle-init';
/** Pod annotation that the webhook leaves on every pod it injected. */
export const INJECTION_STATUS_ANNOTATION = 'sidecar.heddle.dev/status';
/** Pod label read on any pod: the pod's inbound side accepts mesh mTLS. Written on ours. */
export const TLS_MODE_LABEL = 'security.istio.io/tlsMode';
export const TLS_MODE_ISTIO = 'istio';
/** Pod annotations, Istio's: which inbound ports the sidecar does not serve, and which alone it serves. */
export const EXCLUDE_INBOUND_PORTS = 'traffic.sidecar.istio.io/excludeInboundPorts';
export const INCLUDE_INBOUND_PORTS = 'traffic.sidecar.istio.io/includeInboundPorts';
/** Readiness gate (pod condition type) that holds back pods of an unreleased revision. */
export const CANARY_GATE = 'heddle.dev/canary';
/** Labels that controllers write on pods to tell one revision from another, in the order they are looked for. */
export const REVISION_LABELS = ['pod-template-hash', 'controller-revision-hash'] as const;
/** Pod annotation by which the webhook notes that the pod's sidecar answers DNS (`enabled`); a user may set it on a pod to decide over the mesh. */
export const DNS_CAPTURE_ANNOTATION = 'heddle.dev/dns-capture';
/** Pod annotation by which the webhook notes that the pod's sidecar has a file with the budget of its refusals' log (`bounded`). */
export const REFUSAL_LOG_ANNOTATION = 'heddle.dev/refusal-log';
/** Pod annotation by which the webhook notes that the sidecar's environment names its service, for traces (`environment`). */
export const TRACE_RESOURCE_ANNOTATION = 'heddle.dev/trace-resource';
/** Pod annotation by which the webhook notes that the sidecar's page of metrics is as Telemetry resources say (`overridden`). */
export const METRICS_PAGE_ANNOTATION = 'heddle.dev/metrics-page';

/** How much a pod's sidecar is told of the mesh; see `configurationLoading` of the mesh's settings. */
export const LOADING_ANNOTATION = 'heddle.dev/configuration-loading';
