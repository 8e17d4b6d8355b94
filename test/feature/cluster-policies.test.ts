import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { createServer as createTlsServer } from 'node:https';
import { createServer as createTcpServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { TLSSocket } from 'node:tls';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { makeEndCertificate, makeRoot } from '../../operator/certificates/certificate.ts';
import { makeKeyPair, privateKeyPem } from '../../operator/certificates/key-pair.ts';
import type { TrafficPolicy } from '../../operator/mesh/destination-policy.ts';
import { envoyRegistry } from '../../operator/xds/testing/envoy-registry.ts';
import { endpoint } from '../../operator/xds/testing/mesh-fixture.ts';
import { EJECTING, pause, repeat, tally } from './support/policy-answers.ts';
import { type PolicyBed, startPolicyBed, startServer, type TestServer, testServer } from './support/policy-bed.ts';

describe('the real Envoy under a destination policy', () => {
  let bed: PolicyBed;
  const servers: TestServer[] = [];
  const folder = mkdtempSync(join(tmpdir(), 'policies-'));
  let startMs = 0;

  const serve = async (...input: Parameters<typeof startServer>): Promise<TestServer> => {
    const started = await startServer(...input);
    servers.push(started);
    return started;
  };

  beforeAll(async () => {
    const registry = envoyRegistry();
    const lost = endpoint('no-such-host.invalid', { http: 80 });
    const start = performance.now();
    bed = await startPolicyBed(registry, [['lost', [lost], { service: { resolution: 'dns', external: true } }]]);
    startMs = performance.now() - start;
  }, 60_000);

  afterAll(async () => {
    await bed?.stop();
    for (const { server } of servers) server.close();
    rmSync(folder, { recursive: true, force: true });
  });

  test('starts although a name of a service can not be resolved, and resolves those that can', async () => {
    expect(startMs).toBeLessThan(8000);
    const server = await serve('by name');
    for (const resolution of ['dns', 'dns-round-robin'] as const) {
      const service = { resolution, external: true };
      const named = await bed.use(resolution, [server.endpoint({ address: 'localhost' })], { service });
      let answer = await bed.call(named);
      for (let tries = 0; answer.status !== 200 && tries < 100; tries++) {
        await pause(20);
        answer = await bed.call(named);
      }
      expect(answer).toMatchObject({ status: 200, body: 'by name' });
    }
  });

  test('takes endpoints in turn, each as often as it weighs', async () => {
    const [a, b] = [await serve('a'), await serve('b')];
    const policy: TrafficPolicy = { loadBalancer: { simple: 'ROUND_ROBIN' } };
    const cluster = await bed.use('turns', [a.endpoint({ weight: 3 }), b.endpoint()], { policy });
    expect(tally(await repeat(40, () => bed.call(cluster)))).toEqual({ a: 30, b: 10 });
  });

  test.each<[string, TrafficPolicy]>([
    ['ring', { loadBalancer: { consistentHash: { httpHeaderName: 'x-user' } } }],
    ['maglev', { loadBalancer: { consistentHash: { httpHeaderName: 'x-user', maglev: { tableSize: 65537 } } } }],
  ])('keeps users where they are when another endpoint goes, with a %s', async (name, policy) => {
    const some = await Promise.all(['a', 'b', 'c', 'd'].map((letter) => serve(letter)));
    const all = some.map((server) => server.endpoint());
    const ask = async (cluster: string) =>
      (await repeat(40, (user) => bed.call(cluster, { 'x-user': `user-${user}` }))).map(({ body }) => body);
    const before = await ask(await bed.use(name, all, { policy }));
    expect(new Set(before).size).toBeGreaterThan(1);
    expect(await ask(await bed.use(name, all, { policy }))).toEqual(before);
    const gone = before[0] ?? '';
    const left = all.filter((_, index) => 'abcd'[index] !== gone);
    const after = await ask(await bed.use(name, left, { policy }));
    expect(after).not.toContain(gone);
    // Some others move as well, for the table is made anew; without a hash three of four would.
    const moved = before.filter((body, user) => body !== gone && body !== after[user]);
    expect(moved.length).toBeLessThan(before.length * 0.4);
  });

  test('gives an endpoint that comes later its share by and by', async () => {
    const [first, late] = [await serve('first'), await serve('late')];
    const policy: TrafficPolicy = {
      loadBalancer: { simple: 'ROUND_ROBIN', warmup: { duration: '3s', minimumPercent: 10, aggression: 1 } },
    };
    await bed.use('warm', [first.endpoint()], { policy });
    // An endpoint is warm when it has been there for the duration.
    await pause(3200);
    const cluster = await bed.use('warm', [first.endpoint(), late.endpoint()], { policy });
    const { late: share = 0 } = tally(await repeat(60, () => bed.call(cluster)));
    // In turn it would have 30, and it begins with a tenth of its weight.
    expect(share).toBeLessThan(20);
  });

  test('refuses what is over the limits of connections and of requests that wait', async () => {
    const slow = await serve('slow', (_, response) => void setTimeout(() => response.end('slow'), 300));
    const policy: TrafficPolicy = {
      connectionPool: { tcp: { maxConnections: 1 }, http: { http1MaxPendingRequests: 1 } },
    };
    const cluster = await bed.use('limits', [slow.endpoint()], { policy });
    const first = bed.call(cluster);
    // Until it is connected it counts as waiting itself.
    while (slow.seen === 0) await pause(5);
    const answers = await Promise.all([first, ...Array.from({ length: 5 }, () => bed.call(cluster))]);
    expect(tally(answers)).toEqual({ slow: 2, 503: 4 });
    expect(new Set(answers.filter(({ status }) => status === 503).map(({ flags }) => flags))).toEqual(new Set(['UO']));
  });

  test('leaves out an endpoint that fails, and takes it again after its time', async () => {
    let failing = true;
    const flaky = await serve('flaky', (_, response) => {
      response.statusCode = failing ? 500 : 200;
      response.end('flaky');
    });
    const good = await serve('good');
    const cluster = await bed.use('ejection', [flaky.endpoint(), good.endpoint()], { policy: EJECTING });
    const first = tally(await repeat(20, () => bed.call(cluster)));
    expect(first[500]).toBeGreaterThanOrEqual(2);
    // It is out a moment after its second failure.
    expect(first[500]).toBeLessThanOrEqual(5);
    expect(tally(await repeat(10, () => bed.call(cluster)))).toEqual({ good: 10 });
    failing = false;
    await pause(2500);
    expect(tally(await repeat(10, () => bed.call(cluster)))).toEqual({ good: 5, flaky: 5 });
  });

  test('tells the server who calls, by the PROXY protocol', async () => {
    const server = createTcpServer((socket) => {
      socket.once('data', (data) => {
        const [line = ''] = data.toString().split('\r\n');
        socket.end(`HTTP/1.1 200 OK\r\ncontent-length: ${line.length}\r\nconnection: close\r\n\r\n${line}`);
      });
    });
    const proxied = await testServer(server).listening;
    servers.push(proxied);
    const cluster = await bed.use('proxied', [proxied.endpoint()], { policy: { proxyProtocol: { version: 'V1' } } });
    expect((await bed.call(cluster)).body).toMatch(/^PROXY TCP4 127\.0\.0\.1 127\.0\.0\.1 \d+ \d+$/);
  });

  test('retries no more at once than its budget allows', async () => {
    const fail = (_: IncomingMessage, response: ServerResponse): void =>
      void setTimeout(() => response.writeHead(503).end(), 100);
    const [free, bounded] = [await serve('free', fail), await serve('bounded', fail)];
    const storm = async (name: string, server: TestServer, policy: TrafficPolicy): Promise<number> => {
      const cluster = await bed.use(name, [server.endpoint()], { policy });
      await Promise.all(Array.from({ length: 20 }, () => bed.call(cluster, {}, '/retry')));
      return server.seen;
    };
    expect(await storm('free', free, {})).toBe(80);
    const budget = await storm('bounded', bounded, { retryBudget: { percent: 5, minRetryConcurrency: 1 } });
    expect(budget).toBeGreaterThan(20);
    expect(budget).toBeLessThanOrEqual(26);
  });

  describe('to a server with TLS', () => {
    let secure: TestServer;
    let strict: TestServer;
    const file = (name: string): string => join(folder, name);
    const roots = file('ca.pem');
    const answer = (incoming: IncomingMessage, response: ServerResponse): void => {
      // The server below speaks TLS only.
      const socket = incoming.socket as TLSSocket & { servername?: string };
      const client = socket.getPeerCertificate().subjectaltname ?? 'nobody';
      response.end(`${socket.servername || 'no name'} ${socket.alpnProtocol} ${client}`);
    };

    beforeAll(async () => {
      const validity = { notBefore: Date.now() - 60_000, notAfter: Date.now() + 3_600_000 };
      const [above, server, client] = await Promise.all([makeKeyPair(), makeKeyPair(), makeKeyPair()]);
      const root = await makeRoot({ ...validity, commonName: 'ca', publicKey: above.publicKey }, above.privateKey);
      const issuer = { certificate: root, privateKey: above.privateKey };
      const names = [{ dns: 'db.example.com' }];
      const served = await makeEndCertificate(
        { ...validity, publicKey: server.publicKey, names, usage: ['serverAuth'] },
        issuer,
      );
      const own = await makeEndCertificate(
        { ...validity, publicKey: client.publicKey, names: [{ dns: 'client.example.com' }], usage: ['clientAuth'] },
        issuer,
      );
      writeFileSync(roots, root.toString());
      writeFileSync(file('client.pem'), own.toString());
      writeFileSync(file('client.key'), privateKeyPem(client.privateKey));
      const material = { key: privateKeyPem(server.privateKey), cert: served.toString(), ca: root.toString() };
      const options = { ...material, ALPNProtocols: ['http/1.1'] };
      secure = await testServer(createTlsServer(options, answer)).listening;
      strict = await testServer(createTlsServer({ ...options, requestCert: true, rejectUnauthorized: true }, answer))
        .listening;
      servers.push(secure, strict);
    });

    const ask = async (name: string, tls: TrafficPolicy['tls'], host = 'db.example.com', server = secure) => {
      const cluster = await bed.use(name, [server.endpoint()], { policy: { tls }, service: { external: true } });
      const { status, body } = await bed.call(cluster, { host });
      return status === 200 ? body : status;
    };

    test('asks for the name of the policy and checks the certificate', async () => {
      const sni = 'asked.example.com';
      const right = { mode: 'SIMPLE' as const, sni, caCertificates: roots, subjectAltNames: ['db.example.com'] };
      expect(await ask('right', right)).toBe('asked.example.com http/1.1 nobody');
      expect(await ask('wrong-name', { ...right, subjectAltNames: ['other.example.com'] })).toBe(503);
      expect(await ask('wrong-root', { mode: 'SIMPLE', sni })).toBe(503);
      expect(await ask('unverified', { mode: 'SIMPLE', sni, insecureSkipVerify: true })).toBe(
        'asked.example.com http/1.1 nobody',
      );
    });

    test("asks for the request's host, and checks the certificate for it, when the policy has no name", async () => {
      const tls = { mode: 'SIMPLE' as const, caCertificates: roots };
      expect(await ask('of-host', tls)).toBe('db.example.com http/1.1 nobody');
      expect(await ask('of-other-host', tls, 'other.example.com')).toBe(503);
    });

    test('shows its own certificate where the policy has one', async () => {
      const key = { clientCertificate: file('client.pem'), privateKey: file('client.key') };
      const tls = { mode: 'MUTUAL' as const, caCertificates: roots, ...key };
      expect(await ask('mutual', tls, 'db.example.com', strict)).toBe('db.example.com http/1.1 DNS:client.example.com');
      expect(await ask('simple', { mode: 'SIMPLE', caCertificates: roots }, 'db.example.com', strict)).toBe(503);
    });
  });
});
