import type { IncomingMessage, ServerResponse } from 'node:http';
import { createServer as createTlsServer } from 'node:https';
import type { TLSSocket } from 'node:tls';
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { CredentialReader } from '../../operator/certificates/credential-reader.ts';
import { type CredentialNews, CredentialSource } from '../../operator/certificates/credential-source.ts';
import { SecretApi } from '../../operator/certificates/testing/secret-api.ts';
import type { TrafficPolicy } from '../../operator/mesh/destination-policy.ts';
import { type ResourceSource, SECRET_TYPE } from '../../operator/xds/resource.ts';
import { envoyRegistry } from '../../operator/xds/testing/envoy-registry.ts';
import { issueCertificate } from '../e2e/testbed/certificate.ts';
import { type PolicyBed, startPolicyBed, startServer, type TestServer, testServer } from './support/policy-bed.ts';

const authority = issueCertificate({ commonName: 'ca', authority: true });
const issuer = { commonName: 'ca', key: authority.key };
const identity = issueCertificate({ commonName: 'db', names: ['db.example.com'], issuer });
const SECRET = 'secrets/shop/db';
const MUTUAL: TrafficPolicy = { tls: { mode: 'MUTUAL', credentialName: 'db' } };

describe('credentialName in the real Envoy', () => {
  const cleanups: (() => unknown)[] = [];
  let news: CredentialNews[];
  let api: SecretApi;
  let strict: TestServer;
  let plain: TestServer;
  let source: CredentialSource;

  const put = (clientName: string): void => {
    const { cert, key } = issueCertificate({ commonName: 'client', names: [clientName], issuer });
    api.put(SECRET, { 'tls.crt': cert, 'tls.key': key, 'ca.crt': authority.cert });
  };

  beforeEach(async () => {
    news = [];
    api = new SecretApi();
    const reader = new CredentialReader(await api.start(), 'heddle-system');
    const settings = { pollMs: 300, retryMs: 100 };
    source = new CredentialSource({ reader, tell: (one) => void news.push(one), settings });
    const answer = ({ socket }: IncomingMessage, response: ServerResponse): void => {
      // The server below speaks TLS only.
      // Connections that are there keep the certificate they began with.
      response.setHeader('connection', 'close');
      response.end((socket as TLSSocket).getPeerCertificate().subjectaltname);
    };
    const options = { ...identity, ca: authority.cert, requestCert: true, rejectUnauthorized: true };
    strict = await testServer(createTlsServer(options, answer)).listening;
    plain = await startServer('plain');
    cleanups.push(
      // Last of all: what the API server still owes an answer ends with it.
      () => Promise.all([source.stop(), api.stop()]),
      () => strict.server.close(),
      () => plain.server.close(),
    );
  });

  afterEach(async () => {
    for (const cleanup of cleanups.splice(0).reverse()) await cleanup();
  });

  async function start(): Promise<{ bed: PolicyBed; ms: number }> {
    const secrets: ResourceSource = {
      typeUrls: [SECRET_TYPE],
      wildcard: () => new Map(),
      lookup: (proxy, _, name) => source.lookup(proxy, name),
      isPending: (proxy, _, name) => source.isPending(proxy, name),
      onChange: (listener) => source.onChange(listener),
    };
    const at = performance.now();
    const bed = await startPolicyBed(
      envoyRegistry(),
      [
        ['db', [strict.endpoint()], { policy: MUTUAL, service: { external: true } }],
        ['plain', [plain.endpoint()], {}],
      ],
      secrets,
    );
    cleanups.push(() => bed.stop());
    return { bed, ms: performance.now() - at };
  }

  const ask = async (bed: PolicyBed): Promise<string> => {
    const { status, body, flags } = await bed.call('outbound|80||db.shop.svc.cluster.local', {
      host: 'db.example.com',
    });
    return status === 200 ? body : `${status} ${flags}`;
  };
  async function until(what: string, holds: () => boolean | Promise<boolean>): Promise<void> {
    const at = performance.now();
    while (!(await holds())) {
      if (performance.now() - at > 15_000)
        throw new Error(`${what} did not come about within 15 s: ${JSON.stringify(news)}`);
      await new Promise((resolve) => setTimeout(resolve, 10));
    }
  }
  const untilAnswered = (bed: PolicyBed, answer: string): Promise<void> =>
    until(answer, async () => (await ask(bed)) === answer);
  const untilTold = (problem: RegExp): Promise<void> =>
    until(String(problem), () => problem.test(news.at(-1)?.problem ?? ''));

  test('a missing credential fails the connections of its cluster alone, and holds up no start', async () => {
    const { bed } = await start();
    expect(await ask(bed)).toBe('503 UF');
    expect((await bed.call('outbound|80||plain.shop.svc.cluster.local')).body).toBe('plain');
    expect(news[0]?.problem).toMatch(/^ServiceAccount shop\/default may not get Secret shop\/db, .* a RoleBinding to /);
  }, 30_000);

  test('an API server that does not answer holds up the start by no more than 2 s', async () => {
    api.silent = true;
    const { bed, ms } = await start();
    expect(await ask(bed)).toBe('503 UF');
    expect((await bed.call('outbound|80||plain.shop.svc.cluster.local')).body).toBe('plain');
    // Envoy itself takes up to a few seconds where many processes want the processor.
    expect(ms).toBeLessThan(8000);
  }, 30_000);

  test('the first request finds the credential there, and later ones its successor', async () => {
    put('client-1.example.com');
    api.grant(SECRET, 'shop', 'default');
    const { bed } = await start();
    expect(await ask(bed)).toBe('DNS:client-1.example.com');
    put('client-2.example.com');
    await untilAnswered(bed, 'DNS:client-2.example.com');
    // A bad one changes nothing.
    api.put(SECRET, { 'tls.crt': 'none', 'tls.key': 'none' });
    await untilTold(/tls.crt holds no certificate/);
    expect(await ask(bed)).toBe('DNS:client-2.example.com');
  }, 30_000);

  test('serves a credential once it is granted', async () => {
    put('client.example.com');
    const { bed } = await start();
    expect(await ask(bed)).toBe('503 UF');
    api.grant(SECRET, 'shop', 'default');
    await untilAnswered(bed, 'DNS:client.example.com');
    expect(news.at(-1)?.problem).toBeUndefined();
  }, 30_000);
});
