import { status } from '@grpc/grpc-js';
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { Registry } from 'prom-client';
import type { LogFields, Logger } from '../../kube/logger.ts';
import { eventually } from '../../kube/testing/memory-api.ts';
import { AdsServer } from '../../operator/ads/server.ts';
import { type PodRecord, TOKEN_SETTINGS, TokenAuthenticator } from '../../operator/ads/token-authenticator.ts';
import { CredentialReader } from '../../operator/certificates/credential-reader.ts';
import { CredentialSource } from '../../operator/certificates/credential-source.ts';
import { SecretSource } from '../../operator/certificates/secret-source.ts';
import { spiffeId } from '../../operator/certificates/start.ts';
import { readyAuthority } from '../../operator/certificates/testing/chain.ts';
import { SecretApi } from '../../operator/certificates/testing/secret-api.ts';
import { MemoryCounters } from '../../operator/ratelimit/memory-counters.ts';
import { RATE_LIMIT_PATH, RateLimitService } from '../../operator/ratelimit/rate-limit-service.ts';
import { type ProxyIdentity, SECRET_TYPE } from '../../operator/xds/resource.ts';
import { AdsClient, type AdsClientOptions, namesOf } from './support/ads-client.ts';
import { makeToken, nodeIdOf } from './support/ads-harness.ts';
import { makeServerCertificate } from './support/server-certificate.ts';

/** The address that all of the test's connections come from. */
const HERE = '127.0.0.1';

interface Line {
  readonly message: string;
  readonly fields: LogFields;
}

/** The operator's port with its real parts: authenticator, streams, certificates, credentials. */
class Port {
  readonly lines: Line[] = [];
  readonly pods = new Map<string, PodRecord & { readonly token: string }>();
  /** Tokens that the API server takes. */
  readonly tokens = new Map<string, PodRecord>();
  /** Whose pod has the address that connections come from. */
  owner: string | undefined;
  /** Whether the network puts that in place of pods' own addresses. */
  isRewriting = false;
  readonly registry = new Registry();
  readonly api = new SecretApi();
  readonly authenticator: TokenAuthenticator;
  secrets!: SecretSource;
  #open!: (options: Partial<AdsClientOptions>) => AdsClient;
  readonly #ends: (() => unknown)[] = [];

  constructor() {
    const review = async (token: string) => {
      const pod = this.tokens.get(token);
      if (pod === undefined) return { authenticated: false };
      const username = `system:serviceaccount:${pod.namespace}:${pod.serviceAccount}`;
      return { authenticated: true, username, podName: pod.name, podUid: pod.uid };
    };
    this.authenticator = new TokenAuthenticator(
      {
        reviewToken: review,
        podByUid: (uid) => this.pods.get(uid),
        podUidByAddress: () => this.owner,
        mayBeRewritten: () => this.isRewriting,
      },
      { ...TOKEN_SETTINGS, podWaitMs: 100 },
    );
  }

  async start(): Promise<void> {
    const logger = this.#logger();
    const authority = await readyAuthority();
    const reader = new CredentialReader(await this.api.start(), 'heddle-system');
    const credentials = new CredentialSource({ reader, tell: () => {}, logger });
    const identify = (proxy: Parameters<typeof spiffeId>[1]) => spiffeId('cluster.local', proxy);
    this.secrets = new SecretSource({ authority, workloadMs: 60_000, spiffeId: identify, credentials, logger });
    const { registry, authenticator } = this;
    const metricsSink = { receive: () => {} };
    const rates = new RateLimitService(new MemoryCounters(), () => undefined);
    const unaryCalls = [
      { path: RATE_LIMIT_PATH, answer: ({ uid }: ProxyIdentity, bytes: Buffer) => rates.answer(uid, bytes) },
    ];
    const server = new AdsServer({ sources: [this.secrets], authenticator, metricsSink, logger, registry, unaryCalls });
    const certificate = await makeServerCertificate();
    server.setCertificate(certificate);
    const port = await server.listen(0, HERE);
    this.#open = (options) => new AdsClient({ port, rootPem: certificate.rootPem, nodeId: '', ...options });
    this.#ends.push(
      () => this.api.stop(),
      () => authority.stop(),
      () => credentials.stop(),
      () => this.secrets.stop(),
      () => server.stop(50),
    );
  }

  async stop(): Promise<void> {
    for (const end of this.#ends.splice(0).reverse()) await end();
  }

  addPod(name: string, ip: string, audience = 'heddle') {
    const uid = `uid-${name}`;
    const token = makeToken(uid, 3_600_000, audience);
    const pod = { uid, name, namespace: 'shop', serviceAccount: name, ips: [ip], token };
    this.pods.set(uid, pod);
    this.tokens.set(token, pod);
    return pod;
  }

  open(options: Partial<AdsClientOptions>): AdsClient {
    const client = this.#open(options);
    this.#ends.push(() => client.close());
    return client;
  }

  /** Streams refused so far, by code. */
  async refused(): Promise<Record<string, number>> {
    const metric = await this.registry.getSingleMetric('heddle_ads_refused_streams_total')?.get();
    return Object.fromEntries(metric?.values.map(({ labels, value }) => [String(labels.code), value]) ?? []);
  }

  said(message: string): Line[] {
    return this.lines.filter((line) => line.message === message);
  }

  #logger(): Logger {
    const write = (message: string, fields: LogFields = {}) => void this.lines.push({ message, fields });
    const logger: Logger = { debug: () => {}, info: write, warn: write, error: write, child: () => logger };
    return logger;
  }
}

let port: Port;
beforeEach(async () => {
  port = new Port();
  await port.start();
});
afterEach(() => port.stop());

type Attack = (own: ReturnType<Port['addPod']>, other: ReturnType<Port['addPod']>) => Partial<AdsClientOptions>;

/** Each with the code and the words that it is answered. */
const ATTACKS: readonly [string, Attack, string, RegExp][] = [
  ['no token', (own) => ({ nodeId: nodeIdOf(own) }), 'UNAUTHENTICATED', /no authorization header/],
  [
    'a token for another audience',
    (own) => ({ nodeId: nodeIdOf(own), token: port.addPod('a', HERE, 'vault').token }),
    'UNAUTHENTICATED',
    /not for the audience heddle/,
  ],
  [
    'the token of a pod that is deleted',
    (own) => {
      port.pods.delete(own.uid);
      port.tokens.delete(own.token);
      port.authenticator.revoke(own.uid);
      return { nodeId: nodeIdOf(own), token: own.token };
    },
    'UNAUTHENTICATED',
    /the API server refused the bearer token/,
  ],
  [
    'the token of a pod that is deleted, which the API server takes still',
    (own) => {
      port.pods.delete(own.uid);
      port.authenticator.revoke(own.uid);
      return { nodeId: nodeIdOf(own), token: own.token };
    },
    'PERMISSION_DENIED',
    /pod shop\/a is gone/,
  ],
  [
    "another pod's node ID",
    (own, other) => ({ nodeId: nodeIdOf(other), token: own.token }),
    'PERMISSION_DENIED',
    /the node ID names pod shop\/b, but the bearer token is of pod shop\/a/,
  ],
  [
    "a token used from another pod's address",
    (own, other) => {
      port.pods.set(own.uid, { ...own, ips: ['10.0.0.9'] });
      port.owner = other.uid;
      return { nodeId: nodeIdOf(own), token: own.token };
    },
    'PERMISSION_DENIED',
    /the connection comes from the address of another pod than shop\/a/,
  ],
  [
    'a token used from an address that no pod and not its node has',
    (own) => {
      port.pods.set(own.uid, { ...own, ips: ['10.0.0.9'] });
      return { nodeId: nodeIdOf(own), token: own.token };
    },
    'PERMISSION_DENIED',
    /the connection comes from 127\.0\.0\.1, which is no address of pod shop\/a and none of its node/,
  ],
];

describe('an attack on identities at the operator’s port', () => {
  test.each(ATTACKS)(
    'with %s is refused, counted and logged once, without the token',
    async (_, attack, code, reason) => {
      const options = attack(port.addPod('a', HERE), port.addPod('b', '10.0.0.2'));
      const client = port.open(options);
      client.send(SECRET_TYPE, { subscribe: ['default'] });
      const ended = await client.ended;
      expect([status[ended.code], client.responses]).toEqual([code, []]);
      expect(ended.details).toMatch(reason);
      expect(await port.refused()).toEqual({ [code]: 1 });
      expect(port.said('stream ended').map(({ fields }) => fields.reason)).toEqual([ended.details]);
      if (options.token !== undefined) expect(JSON.stringify(port.lines)).not.toContain(options.token);
      expect(port.secrets.counts.issued).toBe(0);
    },
  );

  // A question names nobody: the token alone says whose it is.
  test.each(ATTACKS.filter(([name]) => !name.includes('node ID')))(
    'that asks for counts of limits with %s is refused and counted each time, and logged once',
    async (_, attack, code, reason) => {
      const options = attack(port.addPod('a', HERE), port.addPod('b', '10.0.0.2'));
      for (let round = 0; round < 3; round++) {
        const client = port.open({ ...options, path: RATE_LIMIT_PATH });
        client.send(SECRET_TYPE);
        client.call.end();
        const ended = await client.ended;
        expect([status[ended.code], client.responses]).toEqual([code, []]);
        expect(ended.details).toMatch(reason);
      }
      expect(await port.refused()).toEqual({ [code]: 3 });
      const lines = port.said('question refused');
      expect(lines.map(({ fields }) => [fields.path, fields.code])).toEqual([[RATE_LIMIT_PATH, code]]);
      if (options.token !== undefined) expect(JSON.stringify(port.lines)).not.toContain(options.token);
    },
  );

  test('is none where the network puts the address there in place of the pod’s own', async () => {
    const own = port.addPod('a', '10.0.0.9');
    port.isRewriting = true;
    const client = port.open({ nodeId: nodeIdOf(own), token: own.token });
    client.send(SECRET_TYPE, { subscribe: ['default'] });
    expect(namesOf(await client.nextAcked(SECRET_TYPE))).toEqual(['default']);
  });

  test.each([
    ["another workload's identity", 'spiffe://cluster.local/ns/shop/sa/b'],
    ["another pod's certificate", 'default~uid-b'],
    ['a file', 'file-cert:/var/run/secrets/key.pem'],
    ['a path out of its namespace', 'kubernetes://../bank/vault'],
  ])('that asks for %s gets nothing, and is counted and logged once however often it asks', async (_, name) => {
    const own = port.addPod('a', HERE);
    port.addPod('b', '10.0.0.2');
    const client = port.open({ nodeId: nodeIdOf(own), token: own.token });
    for (let round = 0; round < 3; round++) {
      client.send(SECRET_TYPE, { subscribe: [name] });
      const answer = await client.nextAcked(SECRET_TYPE);
      expect([namesOf(answer), answer.removedResources]).toEqual([[], [name]]);
      client.send(SECRET_TYPE, { unsubscribe: [name] });
    }
    client.send(SECRET_TYPE, { subscribe: ['default'] });
    expect(namesOf(await client.nextAcked(SECRET_TYPE))).toEqual(['default']);
    expect(port.secrets.counts).toEqual({ held: 1, issued: 1, refused: 1 });
    const lines = port.said('proxy asks for a secret that nobody may have');
    expect(lines.map(({ fields }) => fields)).toEqual([{ namespace: 'shop', pod: 'a', secret: name }]);
  });

  test('that asks for a Secret which its ServiceAccount may not read gets nothing, and is counted and logged once', async () => {
    port.api.put('secrets/shop/vault', { 'tls.crt': 'x', 'tls.key': 'y' });
    port.api.granted.add('secrets/shop/vault');
    const own = port.addPod('a', HERE);
    const client = port.open({ nodeId: nodeIdOf(own), token: own.token });
    client.send(SECRET_TYPE, { subscribe: ['kubernetes://vault'] });
    const answer = await client.nextAcked(SECRET_TYPE);
    expect([namesOf(answer), answer.removedResources]).toEqual([[], ['kubernetes://vault']]);
    await eventually(() => port.secrets.counts.refused === 1);
    expect(port.said('credential is not served')).toHaveLength(1);
  });
});
