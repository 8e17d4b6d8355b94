import { Registry } from 'prom-client';
import { createLogger } from 'winston';
import { type AdsOptions, AdsServer, type AdsSettings } from '../../../operator/ads/server.ts';
import {
  type PodRecord,
  TOKEN_SETTINGS,
  TokenAuthenticator,
  type TokenReviewResult,
} from '../../../operator/ads/token-authenticator.ts';
import type { ResourceSource } from '../../../operator/xds/resource.ts';
import { AdsClient, type AdsClientOptions } from './ads-client.ts';
import { makeServerCertificate, type TestCertificate } from './server-certificate.ts';

/** One pod of the test's cluster. */
export interface TestPod extends PodRecord {
  readonly token: string;
}

/** A running server on loopback with an authenticator over the test's own pods. */
export interface AdsHarness {
  readonly server: AdsServer;
  readonly port: number;
  readonly rootPem: string;
  readonly registry: Registry;
  readonly authenticator: TokenAuthenticator;
  readonly pods: Map<string, TestPod>;
  /** Tokens that the API server was asked about. */
  readonly reviewed: string[];
  /** Makes a pod with a token, known to the store. */
  addPod(name: string, namespace?: string, expiresInMs?: number): TestPod;
  connect(pod: TestPod, options?: Partial<AdsClientOptions>): AdsClient;
  stop(): Promise<void>;
}

/** A token that looks like a ServiceAccount token; the harness's review knows it by heart. */
export function makeToken(subject: string, expiresInMs: number, audience = 'heddle'): string {
  const part = (value: unknown): string => Buffer.from(JSON.stringify(value)).toString('base64url');
  const exp = (Date.now() + expiresInMs) / 1000;
  return `${part({ alg: 'ES256' })}.${part({ sub: subject, exp, aud: [audience] })}.${part('signature')}`;
}

/** The node ID that a pod's Envoy sends. */
export function nodeIdOf(pod: PodRecord): string {
  return `sidecar~${pod.ips[0]}~${pod.name}.${pod.namespace}~${pod.namespace}.svc.cluster.local`;
}

/** One for all servers of a test file: making a key takes long. */
let sharedCertificate: Promise<TestCertificate> | undefined;

/** Knows the tokens of `pods`, and notes in `reviewed` what it would have asked the API server. */
export function authenticatorOf(pods: ReadonlyMap<string, TestPod>, reviewed: string[] = []): TokenAuthenticator {
  return new TokenAuthenticator(
    {
      reviewToken: async (token): Promise<TokenReviewResult> => {
        reviewed.push(token);
        const pod = [...pods.values()].find((candidate) => candidate.token === token);
        if (pod === undefined) {
          return { authenticated: false, error: 'unknown token' };
        }
        const username = `system:serviceaccount:${pod.namespace}:${pod.serviceAccount}`;
        return { authenticated: true, username, podName: pod.name, podUid: pod.uid };
      },
      podByUid: (uid) => pods.get(uid),
    },
    // What a test tries several times must be remembered for longer than a busy machine takes for it.
    { ...TOKEN_SETTINGS, podWaitMs: 200, rejectedMs: 60_000 },
  );
}

/** What a server has besides; by default it forgets metrics. */
export interface HarnessOptions
  extends Partial<Pick<AdsOptions, 'metricsSink' | 'otherCalls' | 'memory' | 'unaryCalls'>> {
  /** Default: any. */
  readonly atPort?: number;
}

/** Starts a server. */
export async function startHarness(
  sources: readonly ResourceSource[],
  settings: Partial<AdsSettings> = {},
  { metricsSink = { receive: () => undefined }, atPort = 0, ...more }: HarnessOptions = {},
): Promise<AdsHarness> {
  sharedCertificate ??= makeServerCertificate();
  const certificate = await sharedCertificate;
  const pods = new Map<string, TestPod>();
  const reviewed: string[] = [];
  const authenticator = authenticatorOf(pods, reviewed);
  const registry = new Registry();
  const logger = createLogger({ silent: true });
  const server = new AdsServer({
    sources,
    authenticator,
    metricsSink,
    logger,
    registry,
    settings,
    ...more,
  });
  server.setCertificate(certificate);
  const port = await server.listen(atPort, '127.0.0.1');
  const clients: AdsClient[] = [];
  let count = 0;
  return {
    server,
    port,
    rootPem: certificate.rootPem,
    registry,
    authenticator,
    pods,
    reviewed,
    addPod(name, namespace = 'shop', expiresInMs = 3_600_000) {
      count++;
      const uid = `uid-${name}-${count}`;
      const ips = [`10.0.${count >> 8}.${count & 255}`];
      const pod = {
        uid,
        name,
        namespace,
        serviceAccount: 'default',
        ips,
        token: makeToken(uid, expiresInMs),
      };
      pods.set(uid, pod);
      return pod;
    },
    connect(pod, options = {}) {
      const client = new AdsClient({
        port,
        rootPem: certificate.rootPem,
        token: pod.token,
        nodeId: nodeIdOf(pod),
        ...options,
      });
      clients.push(client);
      return client;
    },
    async stop() {
      for (const client of clients) {
        client.close();
      }
      await server.stop(50);
    },
  };
}
