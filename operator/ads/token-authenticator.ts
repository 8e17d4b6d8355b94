import { createHash } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { status } from '@grpc/grpc-js';
import type { AuthenticatedProxy, Authenticator, Credentials } from './authenticator.ts';
import { parseNodeId } from './node-id.ts';
import { forbidden, RefusalError, unauthenticated, unavailable } from './refusal.ts';
import { readTokenClaims } from './token-claims.ts';

/** What the API server says of a token (`authentication.k8s.io/v1` TokenReview with the audience `heddle`). */
export interface TokenReviewResult {
  readonly authenticated: boolean;
  /** `system:serviceaccount:NAMESPACE:NAME`. */
  readonly username?: string;
  /** Extra `authentication.kubernetes.io/pod-name` and `authentication.kubernetes.io/pod-uid`. */
  readonly podName?: string;
  readonly podUid?: string;
  readonly error?: string;
}

/** What is compared of a pod. */
export interface PodRecord {
  readonly uid: string;
  readonly name: string;
  readonly namespace: string;
  readonly serviceAccount: string;
  /** `status.podIPs`; empty until kubelet has told them. */
  readonly ips: readonly string[];
  /** On which it runs, by name. */
  readonly node?: string;
  /** Why its token is not good for what the caller asks, e.g. `runs no sidecar of the mesh`; absent: it is. */
  readonly problem?: string | undefined;
}

export interface TokenAuthenticatorPorts {
  /** @throws Error when the API server cannot be asked */
  reviewToken(token: string): Promise<TokenReviewResult>;
  podByUid(uid: string): PodRecord | undefined;
  /**
   * UID of the pod that has an address of its own (not its node's, as pods on the host's network do: connections through NAT
   * come from there); undefined where no pod has it.
   */
  podUidByAddress?(address: string): string | undefined;
  /** Whether the network may have put an address that is no pod's in place of this pod's own. Absent: it may have put any. */
  mayBeRewritten?(address: string, pod: PodRecord): boolean;
  /** By how much the clock of the API server, by which tokens expire, is ahead of ours, in ms; undefined while unknown. */
  clockOffsetMs?(): number | undefined;
  /** Ms since the epoch. */
  now?(): number;
}

export interface TokenAuthenticatorSettings {
  /** Audience of the tokens; as the webhook projects them into pods. */
  readonly audience: string;
  /** How long to wait for a pod that the store does not have yet, or has without its addresses. */
  readonly podWaitMs: number;
  /** How long an outcome is good for at most; the token's own expiry and the pod's end come first. */
  readonly acceptedMs: number;
  readonly rejectedMs: number;
  readonly maxEntries: number;
  /** UIDs of pods that are gone which are remembered. The API server may take their tokens for some seconds more. */
  readonly maxGone: number;
  /** Reviews at the API server at one time. */
  readonly maxReviews: number;
}

export const TOKEN_SETTINGS: TokenAuthenticatorSettings = {
  audience: 'heddle',
  podWaitMs: 5_000,
  acceptedMs: 300_000,
  rejectedMs: 2_000,
  maxEntries: 20_000,
  maxGone: 1_000,
  maxReviews: 100,
};

interface Accepted {
  readonly podUid: string;
  readonly podName: string;
  readonly namespace: string;
  readonly serviceAccount: string;
}

interface CacheEntry {
  readonly outcome: Promise<Accepted>;
  podUid: string | undefined;
  goodUntil: number;
}

const POLL_MS = 50;

/**
 * Authenticates proxies by their pod's projected ServiceAccount token. The token is bound to the pod (name, UID, service
 * account), the pod to the node ID and to its addresses.
 */
export class TokenAuthenticator implements Authenticator {
  private readonly ports: TokenAuthenticatorPorts;
  private readonly settings: TokenAuthenticatorSettings;
  private readonly cache = new Map<string, CacheEntry>();
  private readonly gone = new Set<string>();
  private reviews = 0;

  constructor(ports: TokenAuthenticatorPorts, settings: TokenAuthenticatorSettings = TOKEN_SETTINGS) {
    this.ports = ports;
    this.settings = settings;
  }

  /** @throws RefusalError */
  async authenticate({ token, peerAddress }: Credentials): Promise<AuthenticatedProxy> {
    const claims = readTokenClaims(token);
    if (claims === undefined) {
      throw unauthenticated('the bearer token is not a ServiceAccount token');
    }
    const expiresAt = claims.expiresAt - (this.ports.clockOffsetMs?.() ?? 0);
    if (expiresAt <= this.now()) {
      throw unauthenticated(`the bearer token expired at ${new Date(claims.expiresAt).toISOString()}`);
    }
    if (!claims.audiences.includes(this.settings.audience)) {
      throw unauthenticated(`the bearer token is not for the audience ${this.settings.audience}`);
    }
    const accepted = await this.reviewOnce(token);
    const pod = await this.findPod(accepted);
    const peer = plainAddress(peerAddress);
    // An address is given to a new pod while the old one may still be in the store: the pod's own claim comes first.
    if (!pod.ips.includes(peer)) this.checkOrigin(peer, pod);
    return {
      identity: { uid: pod.uid, podName: pod.name, namespace: pod.namespace, serviceAccount: pod.serviceAccount },
      expiresAt,
      checkNodeId: (nodeId) => {
        // The first message may come long after the token was accepted.
        checkProblem(this.ports.podByUid(pod.uid) ?? pod);
        checkNodeId(nodeId, pod);
      },
    };
  }

  /** Forgets what is known of a pod's tokens: it is gone, and is not waited for. */
  revoke(podUid: string): void {
    this.gone.add(podUid);
    for (const uid of this.gone) {
      if (this.gone.size <= this.settings.maxGone) {
        break;
      }
      this.gone.delete(uid);
    }
    for (const [key, entry] of this.cache) {
      if (entry.podUid === podUid) {
        this.cache.delete(key);
      }
    }
  }

  /** @throws RefusalError when a connection of a pod can't come from an address that is none of its own */
  private checkOrigin(peer: string, record: PodRecord): void {
    const pod = `${record.namespace}/${record.name}`;
    if (this.ports.podUidByAddress?.(peer) !== undefined) {
      throw forbidden(`the connection comes from the address of another pod than ${pod}`);
    }
    if (this.ports.mayBeRewritten?.(peer, record) === false) {
      throw forbidden(
        `the connection comes from ${peer}, which is no address of pod ${pod} and none of its node; where the network puts it in place of pods' addresses, name it in proxy.natAddresses of the mesh's settings`,
      );
    }
  }

  private async reviewOnce(token: string): Promise<Accepted> {
    const key = createHash('sha256').update(token).digest('base64');
    const known = this.cache.get(key);
    if (known !== undefined && known.goodUntil > this.now()) {
      return known.outcome;
    }
    const entry: CacheEntry = {
      outcome: this.review(token),
      podUid: undefined,
      goodUntil: this.now() + this.settings.acceptedMs,
    };
    this.cache.delete(key);
    this.cache.set(key, entry);
    this.shrink();
    try {
      const accepted = await entry.outcome;
      entry.podUid = accepted.podUid;
      return accepted;
    } catch (error) {
      const denied = error instanceof RefusalError && error.code !== status.UNAVAILABLE;
      entry.goodUntil = denied ? this.now() + this.settings.rejectedMs : 0;
      throw error;
    }
  }

  private async review(token: string): Promise<Accepted> {
    if (this.reviews >= this.settings.maxReviews) {
      throw unavailable('too many tokens are being reviewed; try again');
    }
    this.reviews++;
    try {
      return accept(await this.ports.reviewToken(token));
    } catch (error) {
      if (error instanceof RefusalError) {
        throw error;
      }
      throw unavailable('the bearer token could not be reviewed; try again');
    } finally {
      this.reviews--;
    }
  }

  /** The informer may be behind the proxy: a new pod is waited for, for a short while. */
  private async findPod(accepted: Accepted): Promise<PodRecord> {
    const label = `${accepted.namespace}/${accepted.podName}`;
    const deadline = this.now() + this.settings.podWaitMs;
    for (;;) {
      const pod = this.ports.podByUid(accepted.podUid);
      if (pod !== undefined) {
        checkOwner(accepted, pod);
        if (pod.ips.length > 0) {
          return pod;
        }
      } else if (this.gone.has(accepted.podUid)) {
        throw forbidden(`pod ${label} is gone`);
      }
      if (this.now() >= deadline) {
        throw unavailable(`pod ${label} ${pod === undefined ? 'is not known yet' : 'has no address yet'}; try again`);
      }
      await sleep(POLL_MS);
    }
  }

  private shrink(): void {
    for (const key of this.cache.keys()) {
      if (this.cache.size <= this.settings.maxEntries) {
        return;
      }
      this.cache.delete(key);
    }
  }

  private now(): number {
    return this.ports.now?.() ?? Date.now();
  }
}

function accept(result: TokenReviewResult): Accepted {
  if (!result.authenticated) {
    throw unauthenticated('the API server refused the bearer token');
  }
  const [, namespace, serviceAccount] = /^system:serviceaccount:([^:]+):([^:]+)$/.exec(result.username ?? '') ?? [];
  if (namespace === undefined || serviceAccount === undefined) {
    throw forbidden('the bearer token is not of a ServiceAccount');
  }
  if (result.podUid === undefined || result.podName === undefined) {
    throw forbidden('the bearer token is not bound to a pod; only projected tokens are');
  }
  return { podUid: result.podUid, podName: result.podName, namespace, serviceAccount };
}

function checkOwner(accepted: Accepted, pod: PodRecord): void {
  if (
    pod.name !== accepted.podName ||
    pod.namespace !== accepted.namespace ||
    pod.serviceAccount !== accepted.serviceAccount
  ) {
    throw forbidden(`the bearer token does not belong to pod ${pod.namespace}/${pod.name}`);
  }
  checkProblem(pod);
}

function checkProblem({ namespace, name, problem }: PodRecord): void {
  if (problem !== undefined) throw forbidden(`pod ${namespace}/${name} ${problem}`);
}

function checkNodeId(nodeId: string, pod: PodRecord): void {
  const node = parseNodeId(nodeId);
  if (node === undefined) {
    throw forbidden('the node ID is not of the form sidecar~POD_IP~POD_NAME.NAMESPACE~NAMESPACE.svc.CLUSTER_DOMAIN');
  }
  if (node.podName !== pod.name || node.namespace !== pod.namespace) {
    throw forbidden(
      `the node ID names pod ${node.namespace}/${node.podName}, but the bearer token is of pod ${pod.namespace}/${pod.name}`,
    );
  }
  if (!pod.ips.includes(node.address)) {
    throw forbidden(`the node ID's address ${node.address} is not one of pod ${pod.namespace}/${pod.name}`);
  }
}

/** An IPv4 address as a dual-stack socket shows it, made plain. */
function plainAddress(address: string): string {
  return address.startsWith('::ffff:') ? address.slice('::ffff:'.length) : address;
}
