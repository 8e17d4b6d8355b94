import { connect as connectHttp2 } from 'node:http2';
import { connect } from 'node:net';
import { connect as connectTls } from 'node:tls';
import { create, toBinary } from '@bufbuild/protobuf';
import { status } from '@grpc/grpc-js';
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { DeltaDiscoveryRequestSchema } from '../../generated/envoy/envoy/service/discovery/v3/discovery_pb.js';
import { SECRET_TYPE } from '../../operator/xds/resource.ts';
import { AdsClient, DELTA_PATH, namesOf } from './support/ads-client.ts';
import { type AdsHarness, makeToken, nodeIdOf, startHarness, type TestPod } from './support/ads-harness.ts';
import { ResourceTable, textResource } from './support/resource-table.ts';
import { makeServerCertificate } from './support/server-certificate.ts';

const SOTW_PATH = '/envoy.service.discovery.v3.AggregatedDiscoveryService/StreamAggregatedResources';

describe('the ADS port', () => {
  let table: ResourceTable;
  let harness: AdsHarness;
  let pod: TestPod;

  beforeEach(async () => {
    table = new ResourceTable([SECRET_TYPE]);
    table.update([textResource(SECRET_TYPE, 'default', '1')]);
    harness = await startHarness([table], {
      firstMessageMs: 200,
      authenticateWithinMs: 400,
      farewellMs: 200,
      writeStallMs: 300,
      answerMs: 2_000,
      maxUnauthenticatedPerAddress: 20,
    });
    pod = harness.addPod('a');
  });

  afterEach(() => harness.stop());

  /** Opens a stream, asks for a secret, and gives the status the stream ends with. */
  async function refusal(options: Parameters<AdsHarness['connect']>[1]) {
    const client = harness.connect(pod, options);
    client.send(SECRET_TYPE, { subscribe: ['default'] });
    const { code, details } = await client.ended;
    expect(client.responses).toEqual([]);
    return [code, details];
  }

  /** A well-behaved proxy is served, whatever others do. */
  async function servesOthers(): Promise<void> {
    const client = harness.connect(harness.addPod('other'));
    client.send(SECRET_TYPE, { subscribe: ['default'] });
    expect(namesOf(await client.nextAcked(SECRET_TYPE))).toEqual(['default']);
  }

  test('refuses a stream without a token', async () => {
    const client = new AdsClient({ port: harness.port, rootPem: harness.rootPem, nodeId: nodeIdOf(pod) });
    client.send(SECRET_TYPE, { subscribe: ['default'] });
    expect(await client.ended).toMatchObject({
      code: status.UNAUTHENTICATED,
      details: expect.stringMatching(/no authorization header/),
    });
    client.close();
  });

  test('refuses garbage for a token without asking the API server', async () => {
    expect(await refusal({ token: 'garbage' })).toEqual([
      status.UNAUTHENTICATED,
      'the bearer token is not a ServiceAccount token',
    ]);
    expect(harness.reviewed).toEqual([]);
  });

  test('refuses an expired token without asking the API server', async () => {
    const [code, details] = await refusal({ token: makeToken(pod.uid, -1000) });
    expect(code).toBe(status.UNAUTHENTICATED);
    expect(details).toMatch(/expired at/);
    expect(harness.reviewed).toEqual([]);
  });

  test('refuses a token for another audience', async () => {
    const [code, details] = await refusal({ token: makeToken(pod.uid, 60_000, 'kubernetes') });
    expect(code).toBe(status.UNAUTHENTICATED);
    expect(details).toMatch(/not for the audience heddle/);
  });

  test('refuses a token that the API server does not know, and asks it once for many tries', async () => {
    const token = makeToken('forged', 60_000);
    const answers = await Promise.all([refusal({ token }), refusal({ token }), refusal({ token })]);
    for (const answer of answers) {
      expect(answer).toEqual([status.UNAUTHENTICATED, 'the API server refused the bearer token']);
    }
    expect(harness.reviewed).toEqual([token]);
  });

  test('refuses another pod’s token', async () => {
    const other = harness.addPod('b');
    const [code, details] = await refusal({ token: other.token });
    expect(code).toBe(status.PERMISSION_DENIED);
    expect(details).toBe('the node ID names pod shop/a, but the bearer token is of pod shop/b');
  });

  test('refuses a node ID of another namespace', async () => {
    const [code, details] = await refusal({ nodeId: nodeIdOf({ ...pod, namespace: 'bank' }) });
    expect(code).toBe(status.PERMISSION_DENIED);
    expect(details).toMatch(/names pod bank\/a/);
  });

  test('refuses a node ID with an address that is not the pod’s', async () => {
    const [code, details] = await refusal({ nodeId: nodeIdOf({ ...pod, ips: ['10.9.9.9'] }) });
    expect(code).toBe(status.PERMISSION_DENIED);
    expect(details).toMatch(/address 10.9.9.9 is not one of pod shop\/a/);
  });

  test('refuses a node ID of another form', async () => {
    const [code, details] = await refusal({ nodeId: '../../etc' });
    expect(code).toBe(status.PERMISSION_DENIED);
    expect(details).toMatch(/not of the form/);
  });

  test('asks a proxy whose pod has no address yet to come again, and serves one that gets it in time', async () => {
    const late = harness.addPod('late');
    harness.pods.set(late.uid, { ...late, ips: [] });
    const early = harness.connect(late);
    early.send(SECRET_TYPE, { subscribe: ['default'] });
    expect(await early.ended).toMatchObject({ code: status.UNAVAILABLE });
    // Its address is there at the second look: by the clock it might come after the patience of a busy machine.
    let looks = 0;
    harness.pods.set(late.uid, {
      ...late,
      get ips() {
        return looks++ === 0 ? [] : late.ips;
      },
    });
    const waiting = harness.connect(late);
    waiting.send(SECRET_TYPE, { subscribe: ['default'] });
    expect(namesOf(await waiting.next())).toEqual(['default']);
    expect(looks).toBeGreaterThan(1);
  });

  test('refuses state-of-the-world discovery with the way out', async () => {
    const [code, details] = await refusal({ path: SOTW_PATH });
    expect(code).toBe(status.UNIMPLEMENTED);
    expect(details).toMatch(/DELTA_GRPC/);
  });

  test('refuses oversized metadata and goes on serving', async () => {
    const [code] = await refusal({ metadata: { 'x-big': 'x'.repeat(100_000) } });
    expect(code).not.toBe(status.OK);
    await servesOthers();
  });

  test('ends a stream with a malformed message and goes on serving', async () => {
    const client = harness.connect(pod);
    client.send(SECRET_TYPE, { subscribe: ['default'] });
    await client.next();
    client.call.write(Buffer.from([0x0a, 0xff, 0xff, 0xff, 0xff, 0x0f, 1, 2, 3]));
    expect(await client.ended).toMatchObject({ code: status.INVALID_ARGUMENT });
    await servesOthers();
  });

  test('ends a stream with a message over the limit', async () => {
    const client = harness.connect(pod);
    client.call.write(Buffer.alloc(5 << 20));
    expect(await client.ended).toMatchObject({ code: status.RESOURCE_EXHAUSTED });
    await servesOthers();
  });

  test('ends a stream that says nothing', async () => {
    const client = harness.connect(pod);
    expect(await client.ended).toMatchObject({
      code: status.DEADLINE_EXCEEDED,
      details: expect.stringMatching(/no first message/),
    });
  });

  test('closes connections that send garbage or nothing, and goes on serving', async () => {
    const closed = [Buffer.from('GET / HTTP/1.1\r\n\r\n'), Buffer.alloc(100_000, 7), Buffer.alloc(0)].map(
      (bytes) =>
        new Promise<void>((resolve) => {
          const socket = connect(harness.port, '127.0.0.1', () => socket.write(bytes));
          socket.on('error', () => undefined);
          socket.on('close', () => resolve());
        }),
    );
    await servesOthers();
    await Promise.all(closed);
  });

  test('closes TLS connections that never authenticate', async () => {
    const options = { ca: harness.rootPem, servername: 'localhost', ALPNProtocols: ['h2'] };
    await new Promise<void>((resolve) => {
      const socket = connectTls(harness.port, '127.0.0.1', options);
      socket.on('data', () => undefined);
      socket.on('error', () => undefined);
      socket.on('close', () => resolve());
    });
    await servesOthers();
  });

  test('does not speak TLS 1.1', async () => {
    const options = {
      ca: harness.rootPem,
      maxVersion: 'TLSv1.1',
      minVersion: 'TLSv1',
      ciphers: 'ALL@SECLEVEL=0',
    } as const;
    const error = await new Promise<Error>((resolve) => {
      connectTls(harness.port, '127.0.0.1', { ...options, servername: 'localhost' }).on('error', resolve);
    });
    expect(error.message).toMatch(/protocol version|unsupported protocol|alert/i);
  });

  test('bounds unauthenticated connections from one address', async () => {
    const sockets = Array.from({ length: 25 }, () => connect(harness.port, '127.0.0.1'));
    const closed = await Promise.all(
      sockets.map(
        (socket) =>
          new Promise<boolean>((resolve) => {
            const timer = setTimeout(() => resolve(false), 150);
            socket.on('error', () => undefined);
            socket.on('close', () => {
              clearTimeout(timer);
              resolve(true);
            });
          }),
      ),
    );
    expect(closed.filter(Boolean)).toHaveLength(5);
  });

  test('ends the stream when the pod is gone, and knows its token no more', async () => {
    const client = harness.connect(pod);
    client.send(SECRET_TYPE, { subscribe: ['default'] });
    await client.next();
    harness.pods.delete(pod.uid);
    harness.authenticator.revoke(pod.uid);
    harness.server.revoke(pod.uid);
    expect(await client.ended).toMatchObject({ code: status.UNAVAILABLE, details: 'the pod is gone' });
    expect(harness.server.acks.proxy(pod.uid)).toBeUndefined();
    expect((await refusal({}))[0]).toBe(status.UNAUTHENTICATED);
  });

  test('ends the stream when its token expires', async () => {
    const brief = harness.addPod('brief', 'shop', 400);
    const client = harness.connect(brief);
    client.send(SECRET_TYPE, { subscribe: ['default'] });
    await client.next();
    expect(await client.ended).toMatchObject({
      code: status.UNAUTHENTICATED,
      details: expect.stringMatching(/token of this stream expires/),
    });
  });

  test('lets a second stream of a pod take over', async () => {
    const first = harness.connect(pod);
    first.send(SECRET_TYPE, { subscribe: ['default'] });
    await first.next();
    const second = harness.connect(pod);
    second.send(SECRET_TYPE, { subscribe: ['default'] });
    await second.nextAcked(SECRET_TYPE);
    expect(await first.ended).toMatchObject({ code: status.UNAVAILABLE, details: expect.stringMatching(/took over/) });
    expect([...harness.server.acks.proxies()]).toMatchObject([{ connected: true, identity: { podName: 'a' } }]);
    expect(harness.reviewed).toHaveLength(1);
  });

  test('drops a proxy that does not read, and holds up nobody meanwhile', async () => {
    table.update([textResource(SECRET_TYPE, 'big', 'x'.repeat(900_000))]);
    const session = connectHttp2(`https://localhost:${harness.port}`, { ca: harness.rootPem });
    session.on('error', () => undefined);
    const stream = session.request({
      ':method': 'POST',
      ':path': DELTA_PATH,
      'content-type': 'application/grpc',
      authorization: `Bearer ${pod.token}`,
    });
    stream.on('error', () => undefined);
    const request = create(DeltaDiscoveryRequestSchema, {
      node: { id: nodeIdOf(pod) },
      typeUrl: SECRET_TYPE,
      resourceNamesSubscribe: ['big'],
    });
    const body = toBinary(DeltaDiscoveryRequestSchema, request);
    const head = Buffer.alloc(5);
    head.writeUInt32BE(body.length, 1);
    stream.write(Buffer.concat([head, body]));
    const closed = new Promise((resolve) => session.on('close', resolve));
    await servesOthers();
    await closed;
    expect(harness.server.acks.proxy(pod.uid)?.connected).toBe(false);
  });

  test('ends the stream of a proxy that never answers', async () => {
    const client = harness.connect(pod);
    client.send(SECRET_TYPE, { subscribe: ['default'] });
    await client.next();
    expect(await client.ended).toMatchObject({
      code: status.DEADLINE_EXCEEDED,
      details: expect.stringMatching(/not answered/),
    });
  });

  test('takes a new certificate for new connections while live streams go on', async () => {
    const live = harness.connect(pod);
    live.send(SECRET_TYPE, { subscribe: ['default'] });
    await live.nextAcked(SECRET_TYPE);
    const [renewed, other] = [await makeServerCertificate(), await makeServerCertificate()];
    harness.server.setCertificate(renewed);
    const fresh = harness.connect(harness.addPod('fresh'), { rootPem: renewed.rootPem });
    fresh.send(SECRET_TYPE, { subscribe: ['default'] });
    await fresh.nextAcked(SECRET_TYPE);
    table.update([textResource(SECRET_TYPE, 'default', '2')]);
    expect(namesOf(await live.next())).toEqual(['default']);
    expect(() => harness.server.setCertificate({ ...renewed, key: other.key })).toThrow();
  });

  test('ends all streams when it stops', async () => {
    const client = harness.connect(pod);
    client.send(SECRET_TYPE, { subscribe: ['default'] });
    await client.next();
    const stopping = harness.server.stop(200);
    expect(await client.ended).toMatchObject({ code: status.UNAVAILABLE });
    await stopping;
  });
});
