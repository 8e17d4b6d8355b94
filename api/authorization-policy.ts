import { z } from 'zod';
import type { PolicyStatus } from './peer-authentication.ts';
import { policyAim } from './policy-aim.ts';

export const AUTHORIZATION_POLICY_KIND = 'AuthorizationPolicy';
/** Annotation: with "true" the policy decides nothing; what it would have decided is counted. */
export const DRY_RUN_ANNOTATION = 'istio.io/dry-run';

const texts = (description: string) => z.array(z.string()).optional().describe(description);

const source = z.object({
  principals: texts('Identities of the caller, as in its certificate: "cluster.local/ns/shop/sa/ui".'),
  notPrincipals: texts('Identities that the caller must not have.'),
  requestPrincipals: texts('Identities of the end user, as in its JWT: "ISSUER/SUBJECT".'),
  notRequestPrincipals: texts('Identities that the end user must not have.'),
  namespaces: texts('Namespaces of the caller, as in its certificate.'),
  notNamespaces: texts('Namespaces in which the caller must not be.'),
  serviceAccounts: texts('ServiceAccounts of the caller: "NAMESPACE/NAME", or "NAME" in the namespace of the policy.'),
  notServiceAccounts: texts('ServiceAccounts that the caller must not have.'),
  trustDomains: texts('Trust domains of the caller, as in its certificate.'),
  notTrustDomains: texts('Trust domains in which the caller must not be.'),
  ipBlocks: texts('Addresses the connection comes from: "10.0.0.0/8" or "10.1.2.3".'),
  notIpBlocks: texts('Addresses the connection must not come from.'),
  remoteIpBlocks: texts('Addresses of the client, by X-Forwarded-For or the PROXY protocol.'),
  notRemoteIpBlocks: texts('Addresses that the client must not have.'),
});

const operation = z.object({
  hosts: texts('Hosts of the request, in any case.'),
  notHosts: texts('Hosts that the request must not be for.'),
  ports: texts('Ports of the workload.'),
  notPorts: texts('Ports of the workload that it must not be for.'),
  methods: texts('HTTP methods.'),
  notMethods: texts('HTTP methods that the request must not have.'),
  paths: texts(
    'Paths without the query, after normalisation; {*} stands for one segment, {**} for any number of them.',
  ),
  notPaths: texts('Paths that the request must not have.'),
});

const condition = z.object({
  key: z.string().describe('Attribute, as "request.headers[x-team]" or "source.ip".'),
  values: texts('Values of which it must have one.'),
  notValues: texts('Values of which it must have none.'),
});

const rule = z.object({
  from: z
    .array(z.object({ source: source.optional().describe('Who calls.') }))
    .optional()
    .describe('Callers of which one must match. Without it: all.'),
  to: z
    .array(z.object({ operation: operation.optional().describe('What is called.') }))
    .optional()
    .describe('Operations of which one must match. Without it: all.'),
  when: z.array(condition).optional().describe('Conditions that must all hold.'),
});

/** `security.istio.io` AuthorizationPolicy, field for field. */
export const authorizationPolicySpec = z.object({
  ...policyAim,
  action: z
    .enum(['ALLOW', 'DENY', 'AUDIT', 'CUSTOM'])
    .optional()
    .describe(
      'What becomes of requests that a rule matches. Default ALLOW; those that no ALLOW policy matches are then denied. AUDIT decides nothing: the sidecar logs them.',
    ),
  provider: z
    .object({ name: z.string().optional().describe('Name in the mesh configuration.') })
    .optional()
    .describe('Who decides, with action CUSTOM.'),
  rules: z.array(rule).max(512).optional().describe('Requests it is about. Without any: none; one empty rule: all.'),
});

export type AuthorizationPolicySpec = z.infer<typeof authorizationPolicySpec>;
export type AuthorizationRule = z.infer<typeof rule>;
export type AuthorizationSource = z.infer<typeof source>;
export type AuthorizationOperation = z.infer<typeof operation>;
export type AuthorizationCondition = z.infer<typeof condition>;
export type AuthorizationAction = NonNullable<AuthorizationPolicySpec['action']>;

export interface AuthorizationPolicy {
  apiVersion: string;
  kind: string;
  metadata: {
    name: string;
    namespace: string;
    uid?: string;
    generation?: number;
    creationTimestamp?: string;
    annotations?: Record<string, string>;
  };
  spec?: AuthorizationPolicySpec;
  status?: PolicyStatus;
}
