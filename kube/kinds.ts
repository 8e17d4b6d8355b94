import { ALERT_PROVIDER_KIND } from '../api/alert-provider.ts';
import { AUTHORIZATION_POLICY_KIND } from '../api/authorization-policy.ts';
import { CANARY_KIND } from '../api/canary.ts';
import { DESTINATION_RULE_KIND } from '../api/destination-rule.ts';
import { HEDDLE_GROUP, HEDDLE_VERSION } from '../api/heddle.ts';
import { METRIC_TEMPLATE_KIND } from '../api/metric-template.ts';
import { NETWORKING_GROUP } from '../api/networking.ts';
import { PEER_AUTHENTICATION_KIND } from '../api/peer-authentication.ts';
import { RATE_LIMIT_POLICY_KIND } from '../api/rate-limit-policy.ts';
import { REQUEST_AUTHENTICATION_KIND } from '../api/request-authentication.ts';
import { SECURITY_GROUP } from '../api/security.ts';
import { SERVICE_ENTRY_KIND } from '../api/service-entry.ts';
import { SIDECAR_KIND } from '../api/sidecar.ts';
import { TELEMETRY_GROUP, TELEMETRY_KIND } from '../api/telemetry.ts';
import { TRUST_ROTATION_KIND } from '../api/trust-rotation.ts';
import { VIRTUAL_SERVICE_KIND } from '../api/virtual-service.ts';
import { WORKLOAD_ENTRY_KIND } from '../api/workload-entry.ts';
import type { ResourceKind } from './resource-kind.ts';

const define = (group: string, version: string, plural: string, kind: string, namespaced: boolean): ResourceKind =>
  Object.freeze({ group, version, plural, kind, namespaced });

export const NAMESPACE = define('', 'v1', 'namespaces', 'Namespace', false);
export const NODE = define('', 'v1', 'nodes', 'Node', false);
export const POD = define('', 'v1', 'pods', 'Pod', true);
export const SERVICE = define('', 'v1', 'services', 'Service', true);
export const SERVICE_ACCOUNT = define('', 'v1', 'serviceaccounts', 'ServiceAccount', true);
export const SECRET = define('', 'v1', 'secrets', 'Secret', true);
export const CONFIG_MAP = define('', 'v1', 'configmaps', 'ConfigMap', true);
export const EVENT = define('events.k8s.io', 'v1', 'events', 'Event', true);

export const DEPLOYMENT = define('apps', 'v1', 'deployments', 'Deployment', true);
export const STATEFUL_SET = define('apps', 'v1', 'statefulsets', 'StatefulSet', true);
export const DAEMON_SET = define('apps', 'v1', 'daemonsets', 'DaemonSet', true);
export const CONTROLLER_REVISION = define('apps', 'v1', 'controllerrevisions', 'ControllerRevision', true);
export const REPLICA_SET = define('apps', 'v1', 'replicasets', 'ReplicaSet', true);

export const HORIZONTAL_POD_AUTOSCALER = define(
  'autoscaling',
  'v2',
  'horizontalpodautoscalers',
  'HorizontalPodAutoscaler',
  true,
);

/** What pods use, as the metrics server tells it. */
export const POD_METRICS = define('metrics.k8s.io', 'v1beta1', 'pods', 'PodMetrics', true);

export const ENDPOINT_SLICE = define('discovery.k8s.io', 'v1', 'endpointslices', 'EndpointSlice', true);
export const LEASE = define('coordination.k8s.io', 'v1', 'leases', 'Lease', true);
export const MUTATING_WEBHOOK_CONFIGURATION = define(
  'admissionregistration.k8s.io',
  'v1',
  'mutatingwebhookconfigurations',
  'MutatingWebhookConfiguration',
  false,
);
export const VALIDATING_WEBHOOK_CONFIGURATION = define(
  'admissionregistration.k8s.io',
  'v1',
  'validatingwebhookconfigurations',
  'ValidatingWebhookConfiguration',
  false,
);
export const SUBJECT_ACCESS_REVIEW = define(
  'authorization.k8s.io',
  'v1',
  'subjectaccessreviews',
  'SubjectAccessReview',
  false,
);
export const TOKEN_REVIEW = define('authentication.k8s.io', 'v1', 'tokenreviews', 'TokenReview', false);

export const ALERT_PROVIDER = define(HEDDLE_GROUP, HEDDLE_VERSION, 'alertproviders', ALERT_PROVIDER_KIND, true);
export const CANARY = define(HEDDLE_GROUP, HEDDLE_VERSION, 'canaries', CANARY_KIND, true);
export const METRIC_TEMPLATE = define(HEDDLE_GROUP, HEDDLE_VERSION, 'metrictemplates', METRIC_TEMPLATE_KIND, true);
export const RATE_LIMIT_POLICY = define(
  HEDDLE_GROUP,
  HEDDLE_VERSION,
  'ratelimitpolicies',
  RATE_LIMIT_POLICY_KIND,
  true,
);
export const TRUST_ROTATION = define(HEDDLE_GROUP, HEDDLE_VERSION, 'trustrotations', TRUST_ROTATION_KIND, false);
export const AUTHORIZATION_POLICY = define(
  SECURITY_GROUP,
  'v1',
  'authorizationpolicies',
  AUTHORIZATION_POLICY_KIND,
  true,
);
export const PEER_AUTHENTICATION = define(SECURITY_GROUP, 'v1', 'peerauthentications', PEER_AUTHENTICATION_KIND, true);
export const REQUEST_AUTHENTICATION = define(
  SECURITY_GROUP,
  'v1',
  'requestauthentications',
  REQUEST_AUTHENTICATION_KIND,
  true,
);

const defineNetworking = (plural: string, kind: string): ResourceKind =>
  define(NETWORKING_GROUP, 'v1', plural, kind, true);

export const VIRTUAL_SERVICE = defineNetworking('virtualservices', VIRTUAL_SERVICE_KIND);
export const DESTINATION_RULE = defineNetworking('destinationrules', DESTINATION_RULE_KIND);
export const SERVICE_ENTRY = defineNetworking('serviceentries', SERVICE_ENTRY_KIND);
export const WORKLOAD_ENTRY = defineNetworking('workloadentries', WORKLOAD_ENTRY_KIND);
export const SIDECAR = defineNetworking('sidecars', SIDECAR_KIND);

export const TELEMETRY = define(TELEMETRY_GROUP, 'v1', 'telemetries', TELEMETRY_KIND, true);
