import { AUTHORIZATION_POLICY_KIND, authorizationPolicySpec } from './authorization-policy.ts';
import type { CustomResource } from './custom-resource.ts';
import { PEER_AUTHENTICATION_KIND, peerAuthenticationSpec, policyStatus } from './peer-authentication.ts';
import { AGE, STATE } from './printer-columns.ts';
import { REQUEST_AUTHENTICATION_KIND, requestAuthenticationSpec } from './request-authentication.ts';
import { SECURITY_GROUP, SECURITY_VERSIONS } from './security.ts';

/** What all kinds of the group have in common; names of the columns are Istio's. */
const security = {
  group: SECURITY_GROUP,
  categories: ['istio-io', 'security-istio-io'],
  versions: SECURITY_VERSIONS,
  specRequired: false,
  status: policyStatus,
  owner: 'istio',
} as const;

const peerAuthentication: CustomResource = {
  ...security,
  kind: PEER_AUTHENTICATION_KIND,
  plural: 'peerauthentications',
  singular: 'peerauthentication',
  shortNames: ['pa'],
  description: 'A PeerAuthentication says whether connections to workloads must, may or do not use mutual TLS.',
  spec: peerAuthenticationSpec,
  columns: [
    { name: 'Mode', type: 'string', jsonPath: '.spec.mtls.mode', description: 'Mode of all ports.' },
    ...STATE,
    AGE,
  ],
};

const authorizationPolicy: CustomResource = {
  ...security,
  kind: AUTHORIZATION_POLICY_KIND,
  plural: 'authorizationpolicies',
  singular: 'authorizationpolicy',
  shortNames: ['ap'],
  description: 'An AuthorizationPolicy says who may call workloads, and what of them.',
  spec: authorizationPolicySpec,
  columns: [
    { name: 'Action', type: 'string', jsonPath: '.spec.action', description: 'What becomes of requests it matches.' },
    ...STATE,
    AGE,
  ],
};

const requestAuthentication: CustomResource = {
  ...security,
  kind: REQUEST_AUTHENTICATION_KIND,
  plural: 'requestauthentications',
  singular: 'requestauthentication',
  shortNames: ['ra'],
  description:
    'A RequestAuthentication says which tokens (JWT) of end users workloads take; requests with any other are refused.',
  spec: requestAuthenticationSpec,
  columns: [...STATE, AGE],
};

/** Istio's security kinds. */
export const SECURITY_RESOURCES: readonly CustomResource[] = [
  peerAuthentication,
  authorizationPolicy,
  requestAuthentication,
];
