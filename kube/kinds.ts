import { CANARY_GROUP, CANARY_KIND, CANARY_VERSION } from '../api/canary.ts';
import { PEER_AUTHENTICATION_GROUP, PEER_AUTHENTICATION_KIND } from '../api/peer-authentication.ts';
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
export const REPLICA_SET = define('apps', 'v1', 'replicasets', 'ReplicaSet', true);

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
export const TOKEN_REVIEW = define('authentication.k8s.io', 'v1', 'tokenreviews', 'TokenReview', false);

export const CANARY = define(CANARY_GROUP, CANARY_VERSION, 'canaries', CANARY_KIND, true);
export const PEER_AUTHENTICATION = define(
  PEER_AUTHENTICATION_GROUP,
  'v1',
  'peerauthentications',
  PEER_AUTHENTICATION_KIND,
  true,
);
