import { once } from 'node:events';
import { Agent, request as httpsRequest } from 'node:https';
import { connect as tcpConnect } from 'node:net';
import { type TLSSocket, connect as tlsConnect } from 'node:tls';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { silentLogger } from '../kube/logger.ts';
import { createWebhookMetrics, type WebhookMetrics } from './metrics.ts';
import { AdmissionServer, type AdmissionServerOptions, SERVER_LIMITS } from './server.ts';
import { makeCertificate } from './testing/certificate.ts';
import { testHandlers } from './testing/handlers.ts';
import { podReview } from './testing/review.ts';

let server: AdmissionServer;
let metrics: WebhookMetrics | undefined;
let port: number;

async function newServer(limits: AdmissionServerOptions['limits'] = {}): Promise<[AdmissionServer, number]> {
  metrics ??= createWebhookMetrics();
  const handlers = testHandlers(metrics);
  const made = new AdmissionServer({ handlers, logger: silentLogger, metrics, limits });
  made.setCertificate(await makeCertificate('first'));
  return [made, await made.start(0, '127.0.0.1')];
}

async function startServer(): Promise<void> {
  [server, port] = await newServer();
}

beforeAll(startServer);
afterAll(() => server.stop());

interface Sent {
  path?: string;
  method?: string;
  type?: string;
  headers?: Record<string, string>;
  agent?: Agent;
}

interface Reply {
  status: number;
  body: string;
  issuer: string;
}

function send(
  body: string | Buffer,
  { path = '/inject', method = 'POST', type = 'application/json', headers = {}, agent }: Sent = {},
): Promise<Reply> {
  return new Promise((resolve, reject) => {
    const options = {
      host: '127.0.0.1',
      port,
      path,
      method,
      rejectUnauthorized: false,
      headers: { 'content-type': type, ...headers },
    };
    // A connection of its own by default: a resumed TLS session would not show the certificate.
    const request = httpsRequest({ ...options, agent: agent ?? false }, (response) => {
      const socket = response.socket as TLSSocket;
      const issuer = socket.getPeerCertificate().subject.CN ?? '';
      let text = '';
      response.setEncoding('utf8').on('data', (chunk: string) => {
        text += chunk;
      });
      response.on('end', () => resolve({ status: response.statusCode ?? 0, body: text, issuer: String(issuer) }));
      response.on('error', reject);
    });
    request.on('error', reject);
    request.end(body);
  });
}

describe('the admission server', () => {
  test('answers a pod with a JSON patch under the same uid', async () => {
    const { status, body } = await send(JSON.stringify(podReview('u-1')));
    expect(status).toBe(200);
    const { apiVersion, kind, response } = JSON.parse(body);
    expect({ apiVersion, kind }).toEqual({ apiVersion: 'admission.k8s.io/v1', kind: 'AdmissionReview' });
    expect(response).toMatchObject({ uid: 'u-1', allowed: true, patchType: 'JSONPatch' });
    const patch = JSON.parse(Buffer.from(response.patch, 'base64').toString()) as { path: string }[];
    expect(patch.map(({ path }) => path)).toContain('/spec/initContainers');
  });

  test('refuses a pod in the words of the problem', async () => {
    const review = podReview('u-2', { annotations: { 'sidecar.istio.io/logLevel': 'loud' } });
    const { response } = JSON.parse((await send(JSON.stringify(review))).body);
    expect(response).toMatchObject({ allowed: false, status: { code: 422 } });
    expect(response.status.message).toContain(
      'metadata.annotations[sidecar.istio.io/logLevel]: "loud" must be one of trace',
    );
  });

  test('lets other kinds and other operations through unchanged', async () => {
    const review = podReview('u-3');
    const update = { ...review, request: { ...review.request, operation: 'UPDATE' } };
    expect(JSON.parse((await send(JSON.stringify(update))).body).response).toEqual({ uid: 'u-3', allowed: true });
  });

  test.each<[string, string | Buffer, Sent, number, RegExp]>([
    ['a truncated review', JSON.stringify(podReview('u')).slice(0, 200), {}, 400, /not valid JSON/],
    ['bytes that are no text', Buffer.from([0xff, 0x00, 0xfe]), {}, 400, /not valid JSON/],
    ['a review without a uid', JSON.stringify({ ...podReview('') }), {}, 400, /request\.uid/],
    [
      'another version of the review',
      JSON.stringify({ ...podReview('u'), apiVersion: 'admission.k8s.io/v1beta1' }),
      {},
      400,
      /apiVersion/,
    ],
    [
      'a pod that is none',
      JSON.stringify(podReview('u', {}, { containers: 'many' })),
      {},
      400,
      /request\.object is no pod: spec\.containers/,
    ],
    [
      'a container whose name is a path',
      JSON.stringify(podReview('u', {}, { containers: [{ name: '../x' }] })),
      {},
      400,
      /must be a DNS label/,
    ],
    [
      'a million containers',
      JSON.stringify(podReview('u', {}, { containers: Array.from({ length: 1_000_000 }, () => 1) })),
      {},
      400,
      /more than 200000 values/,
    ],
    [
      'a pod with a hundred thousand containers',
      JSON.stringify(podReview('u', {}, { containers: Array.from({ length: 100_000 }, () => 1) })),
      {},
      400,
      /request.object has more than 40000 values; split it/,
    ],
    ['lists in lists without an end', '['.repeat(3_000_000), {}, 400, /more than 200000 values/],
    ['JSON that is no object', '[]', {}, 400, /no AdmissionReview/],
    ['no body', '', {}, 400, /not valid JSON/],
    ['10 MB', Buffer.alloc(10 * 1024 * 1024, 0x20), {}, 413, /longer than 3145728 bytes/],
    [
      '10 MB in chunks',
      Buffer.alloc(10 * 1024 * 1024, 0x20),
      { headers: { 'transfer-encoding': 'chunked' } },
      413,
      /longer than/,
    ],
    ['another type', '{}', { type: 'text/plain' }, 415, /only application\/json/],
    ['a compressed body', '{}', { headers: { 'content-encoding': 'gzip' } }, 415, /without an encoding/],
    ['a GET', '', { method: 'GET' }, 405, /only POST/],
    ['another path', '{}', { path: '/metrics' }, 404, /\/inject and \/validate/],
  ])('answers %s clearly', async (_, body, how, status, message) => {
    const reply = await send(body, how);
    expect(reply.status).toBe(status);
    expect(reply.body).toMatch(message);
    expect((await send(JSON.stringify(podReview('after')))).status).toBe(200);
  });

  test('counts what it did', async () => {
    const text = await metrics?.registry.metrics();
    expect(text).toMatch(/heddle_webhook_pods_total\{outcome="injected",reason=""\} \d+/);
    expect(text).toMatch(/heddle_webhook_rejected_requests_total\{code="413"\} \d+/);
  });
});

describe('a client that wastes time', () => {
  const closed = async (socket: { once: unknown; destroyed: boolean } & NodeJS.EventEmitter): Promise<number> => {
    const begun = performance.now();
    await once(socket, 'close');
    return performance.now() - begun;
  };

  test('is cut off in the middle of TLS, of headers and of the body', async () => {
    const limits = {
      handshakeTimeout: 400,
      headersTimeout: 400,
      requestTimeout: 800,
      connectionsCheckingInterval: 100,
    };
    const [hasty, port] = await newServer(limits);
    const silent = tcpConnect(port, '127.0.0.1').on('error', () => {});
    const secure = (first: string) => {
      const socket = tlsConnect({ port, host: '127.0.0.1', rejectUnauthorized: false }).on('error', () => {});
      socket.once('secureConnect', () => socket.write(first));
      return socket.resume();
    };
    const idle = secure('');
    const headers = secure('POST /inject HTTP/1.1\r\nhost: x\r\n');
    const body = secure(
      'POST /inject HTTP/1.1\r\nhost: x\r\ncontent-type: application/json\r\ncontent-length: 100\r\n\r\n{',
    );
    const times = await Promise.all([silent, idle, headers, body].map(closed));
    for (const time of times) expect(time).toBeGreaterThan(300);
    await hasty.stop();
  }, 20_000);

  test('has seconds, not minutes', () => {
    const { handshakeTimeout, headersTimeout, requestTimeout } = SERVER_LIMITS;
    expect(Math.max(handshakeTimeout, headersTimeout, requestTimeout)).toBeLessThanOrEqual(10_000);
  });
});

describe('a new certificate', () => {
  test('is served from the next handshake on, while requests go on', async () => {
    const agent = new Agent({ keepAlive: true, maxCachedSessions: 0 });
    const seen = new Set<string>();
    let failed = 0;
    let done = false;
    const load = Array.from({ length: 4 }, async (_, worker) => {
      while (!done) {
        const reply = await send(JSON.stringify(podReview('u')), worker % 2 === 0 ? { agent } : {}).catch(
          () => undefined,
        );
        if (reply?.status !== 200) failed++;
        else seen.add(reply.issuer);
      }
    });
    for (const name of ['second', 'third']) {
      server.setCertificate(await makeCertificate(name));
      while (!seen.has(name) && failed === 0) await new Promise((resolve) => setTimeout(resolve, 10));
    }
    done = true;
    await Promise.all(load);
    agent.destroy();
    expect(failed).toBe(0);
    expect((await send(JSON.stringify(podReview('u')))).issuer).toBe('third');
  }, 30_000);
});

test('stopping answers what is under way and then closes', async () => {
  const replies = Array.from({ length: 5 }, () => send(JSON.stringify(podReview('u'))));
  await Promise.race(replies);
  await server.stop();
  const settled = await Promise.allSettled(replies);
  expect(settled.filter(({ status }) => status === 'fulfilled').length).toBeGreaterThan(0);
  await expect(send('{}')).rejects.toThrow('ECONNREFUSED');
});
