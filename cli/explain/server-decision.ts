import { portMode } from '../../operator/mesh/mtls.ts';
import type { ObjectRef } from '../../operator/mesh/object-ref.ts';
import { isDeclaredHttp } from '../../operator/mesh/protocol.ts';
import type { Endpoint, MeshSettings, MtlsMode, Workload } from '../../operator/mesh/snapshot.ts';
import { inboundShape, isAbout } from '../../operator/xds/inbound-shape.ts';
import { type AuthorizationDecision, decideAuthorization } from './authorization.ts';
import type { CallFacts } from './call-facts.ts';
import { readIdentity } from './caller-identity.ts';
import { normalizePath } from './path.ts';
import type { HttpRequest } from './request.ts';
import { decideTokens, type TokenDecision } from './tokens.ts';

/** How bytes go over the wire to one endpoint: mutual TLS of the mesh, TLS of somebody's own, or as they are. */
export type HopSecurity = 'mtls' | 'tls' | 'plaintext';

/** A call as it comes to a server. */
export interface IncomingCall {
  readonly endpoint: Endpoint;
  /** Port of the pod. */
  readonly port: number;
  readonly security: HopSecurity;
  /** SPIFFE ID of the caller. */
  readonly spiffeId: string | undefined;
  readonly sourceIp: string;
  readonly serverName: string;
  /** Absent: opaque bytes. */
  readonly request?: HttpRequest;
  /** Seconds since the epoch. */
  readonly now: number;
}

/** Why a server does not take a call. */
export type Refusal =
  | {
      readonly reason: 'mtls' | 'authorization';
      readonly status?: number;
      readonly message: string;
      readonly policy?: ObjectRef;
    }
  | { readonly reason: 'token'; readonly status: number; readonly message: string; readonly policy: ObjectRef };

/** What a server's sidecar makes of a call. */
export interface ServerDecision {
  /** Absent: it has no sidecar, or the port is not the sidecar's. */
  readonly mode?: MtlsMode;
  readonly modePolicies: readonly ObjectRef[];
  readonly refusal?: Refusal;
  readonly authorization?: AuthorizationDecision;
  readonly tokens?: TokenDecision;
  /** RateLimitPolicies that count it. */
  readonly rateLimits: readonly ObjectRef[];
}

const NOTHING = { modePolicies: [], rateLimits: [] };

/** @param workload undefined: the endpoint has no sidecar */
export function decideAtServer(
  settings: MeshSettings,
  workload: Workload | undefined,
  call: IncomingCall,
): ServerDecision {
  const { endpoint, port, security } = call;
  const mode = workload && portMode(workload.mtls, port);
  // A port that takes no mTLS although no policy says so is kept from the sidecar by an annotation.
  const isBypassed = mode !== 'DISABLE' && endpoint.plaintextPorts.includes(port);
  if (workload === undefined || mode === undefined || isBypassed) {
    if (security !== 'mtls') return NOTHING;
    const message = 'the DestinationRule asks for mutual TLS of the mesh, and the endpoint has no sidecar for it';
    return { ...NOTHING, refusal: { reason: 'mtls', message } };
  }
  const modePolicies = workload.mtls.policies;
  const rateLimits = workload.rateLimits.filter((one) => isAbout(one, port)).map(({ rules }) => rules.ref);
  const decided = { mode, modePolicies, rateLimits };
  const mismatch = securityMismatch(mode, security);
  if (mismatch !== undefined)
    return { ...decided, refusal: { reason: 'mtls', message: mismatch, ...policyOf(modePolicies) } };
  return { ...decided, ...decideByPolicies(settings, workload, call) };
}

function securityMismatch(mode: MtlsMode, security: HopSecurity): string | undefined {
  if (mode === 'STRICT' && security !== 'mtls') return 'the server takes mutual TLS of the mesh alone (STRICT)';
  if (mode === 'DISABLE' && security === 'mtls')
    return 'the server takes no mutual TLS (DISABLE), and the caller insists on it';
  return undefined;
}

function policyOf(policies: readonly ObjectRef[]): { policy?: ObjectRef } {
  const policy = policies.at(-1);
  return policy === undefined ? {} : { policy };
}

function decideByPolicies(settings: MeshSettings, workload: Workload, call: IncomingCall): Partial<ServerDecision> {
  const { port, security, spiffeId, sourceIp, endpoint, serverName, now } = call;
  const declared = inboundShape(workload, settings).ports.find((one) => one.port === port);
  const sniffs = declared?.protocol === 'auto' && security !== 'tls';
  const isHttp = declared !== undefined && (sniffs || (isDeclaredHttp(declared.protocol) && security !== 'tls'));
  const request = isHttp && call.request !== undefined ? received(call.request, settings) : undefined;
  const identity = security === 'mtls' && spiffeId !== undefined ? readIdentity(spiffeId) : undefined;
  const facts: CallFacts = {
    ...(identity && { identity, serverName }),
    ...{ sourceIp, destinationIp: endpoint.address, port },
    ...(request && { request }),
  };
  const tokens = request && decideTokens(workload.tokens, port, request, now);
  const claims = tokens?.claims;
  const authorization = decideAuthorization(workload.authorization, { ...facts, ...(claims && { claims }) });
  const decided = { authorization, ...(tokens && { tokens }) };
  if (tokens?.refused !== undefined) {
    const { policy, status, reason } = tokens.refused;
    return { ...decided, refusal: { reason: 'token', status, policy, message: reason } };
  }
  if (authorization.verdict !== 'denied') return decided;
  return { ...decided, refusal: denial(authorization, request !== undefined) };
}

/** Paths are normalised on both sides: a rewrite may have made one that is not. */
function received(request: HttpRequest, { pathNormalization }: MeshSettings): HttpRequest {
  return { ...request, path: normalizePath(request.path, pathNormalization?.normalization) };
}

function denial({ decidedBy, unmatched }: AuthorizationDecision, isHttp: boolean): Refusal {
  const status = isHttp ? { status: 403 } : {};
  if (decidedBy !== undefined) {
    const { policy, action, rule = 0 } = decidedBy;
    const ask = action === 'CUSTOM' ? ', and whom it asks cannot be asked' : '';
    const message = `rule ${rule} of AuthorizationPolicy ${policy.namespace}/${policy.name} (${action}) matches${ask}`;
    return { reason: 'authorization', ...status, policy, message };
  }
  const names = unmatched.map(({ policy }) => `${policy.namespace}/${policy.name}`).join(', ');
  const [first] = unmatched;
  const policy = unmatched.length === 1 && first !== undefined ? { policy: first.policy } : {};
  return {
    reason: 'authorization',
    ...status,
    ...policy,
    message: `no rule of the ALLOW policies there are matches (${names})`,
  };
}
