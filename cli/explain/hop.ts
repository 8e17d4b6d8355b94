import { effectivePolicy } from '../../operator/mesh/destination-selection.ts';
import type { Endpoint, MeshSnapshot } from '../../operator/mesh/snapshot.ts';
import { discoveryOf } from '../../operator/xds/cluster-discovery.ts';
import { tlsMode } from '../../operator/xds/cluster-tls.ts';
import { acceptsMeshTls } from '../../operator/xds/destination.ts';
import { meshServerName } from '../../operator/xds/names.ts';
import type { FoundPool, OutboundView } from './outbound-view.ts';
import type { Outcome, OutcomeBackend } from './outcome.ts';
import type { HttpRequest } from './request.ts';
import { decideAtServer, type HopSecurity, type ServerDecision } from './server-decision.ts';

/** What is the same of all calls of one client. */
export interface HopCaller {
  readonly spiffeId: string | undefined;
  readonly address: string;
  /** Seconds since the epoch. */
  readonly now: number;
  /** Its sidecar answers 503 where a connection fails; without one the connection ends. */
  readonly failedStatus: number | undefined;
}

/**
 * What becomes of calls that are sent to a cluster, by what its endpoints make of them.
 * @param percent of all calls that come here
 * @param how of callers who have no choice; absent: as the DestinationRule has it, and the endpoint
 */
export function followHop(
  snapshot: MeshSnapshot,
  view: Pick<OutboundView, 'policy'>,
  pool: FoundPool,
  caller: HopCaller,
  request: HttpRequest | undefined,
  percent: number,
  how?: HopSecurity,
): Outcome[] {
  const { service, port, subset } = pool;
  const policy = effectivePolicy(view.policy(service), subset === '' ? undefined : subset, port.port);
  if (service.external || discoveryOf(service, policy) !== 'endpoints') {
    return [{ percent, end: 'outside', backend: backendOf(pool, [], 'plaintext', NO_SIDECAR) }];
  }
  if (pool.endpoints.length === 0) {
    const message = `no pod of ${nameOf(pool)} is there to take it`;
    return [{ percent, end: 'refused', ...statusOf(caller), at: 'client', reason: 'no-endpoint', message }];
  }
  const serverName = policy.tls?.sni || meshServerName(port.port, service.hostname, pool.revision || subset);
  const groups = new Map<string, { endpoints: Endpoint[]; security: HopSecurity; server: ServerDecision }>();
  for (const endpoint of pool.endpoints) {
    const podPort = endpoint.ports[port.name] ?? 0;
    const security = how ?? securityOf(tlsMode(policy), endpoint, podPort);
    const workload = endpoint.workload === undefined ? undefined : snapshot.workloads.get(endpoint.workload);
    const { spiffeId, address: sourceIp, now } = caller;
    const call = {
      endpoint,
      port: podPort,
      security,
      spiffeId,
      sourceIp,
      serverName,
      now,
      ...(request && { request }),
    };
    const server = decideAtServer(snapshot.settings, workload, call);
    const key = JSON.stringify([security, server]);
    const group = groups.get(key) ?? { endpoints: [], security, server };
    groups.set(key, group);
    group.endpoints.push(endpoint);
  }
  return [...groups.values()].map(({ endpoints, security, server }) => {
    const share = (percent * endpoints.length) / pool.endpoints.length;
    return outcomeAt(share, backendOf(pool, endpoints, security, server), caller);
  });
}

const NO_SIDECAR: ServerDecision = { modePolicies: [], rateLimits: [] };

function outcomeAt(percent: number, backend: OutcomeBackend, caller: HopCaller): Outcome {
  const { refusal, authorization, tokens } = backend.server;
  if (refusal !== undefined) {
    const { reason, message, policy } = refusal;
    const status = refusal.status === undefined ? statusOf(caller) : { status: refusal.status };
    return {
      percent,
      end: 'refused',
      ...status,
      at: 'server',
      reason,
      message,
      ...(policy && { object: policy }),
      backend,
    };
  }
  if (authorization?.verdict === 'asked') {
    const names = authorization.asks.map(({ provider }) => provider).join(', ');
    return {
      percent,
      end: 'asked',
      message: `it is for ${names} to say`,
      ...objectOf(authorization.asks[0]?.policy),
      backend,
    };
  }
  if (tokens?.unverified === true) {
    const message = "the token's signature can't be verified here, as the keys are known to the operator alone";
    return { percent, end: 'asked', message, ...objectOf(tokens.policies[0]), backend };
  }
  return { percent, end: 'application', backend };
}

function objectOf(object: Outcome['object']): Pick<Outcome, 'object'> {
  return object === undefined ? {} : { object };
}

function statusOf({ failedStatus }: HopCaller): { status?: number } {
  return failedStatus === undefined ? {} : { status: failedStatus };
}

function securityOf(mode: ReturnType<typeof tlsMode>, endpoint: Endpoint, port: number): HopSecurity {
  if (mode === 'ISTIO_MUTUAL') return 'mtls';
  if (mode === 'automatic') return acceptsMeshTls(endpoint, port) ? 'mtls' : 'plaintext';
  return mode === 'DISABLE' ? 'plaintext' : 'tls';
}

function backendOf(
  pool: FoundPool,
  endpoints: readonly Endpoint[],
  security: HopSecurity,
  server: ServerDecision,
): OutcomeBackend {
  const { cluster, service, port, subset, revision } = pool;
  const names = endpoints.map(({ namespace, podName, address, ports }) => {
    const at = `${address}:${ports[port.name]}`;
    return podName === undefined ? at : `${namespace}/${podName} ${at}`;
  });
  return { cluster, hostname: service.hostname, port: port.port, subset, revision, endpoints: names, security, server };
}

function nameOf({ service, port, subset, revision }: FoundPool): string {
  const parts = [subset === '' ? '' : `, subset ${subset}`, revision === '' ? '' : `, revision ${revision}`];
  return `${service.hostname}:${port.port}${parts.join('')}`;
}
