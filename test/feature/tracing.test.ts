import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { extensionProviders } from '../../api/extension-provider.ts';
import type { TelemetryTracing } from '../../api/telemetry.ts';
import { telemetry } from '../../operator/mesh/testing/objects.ts';
import type { CollectedSpan } from './support/collected.ts';
import { CollectorProcess } from './support/collector-process.ts';
import { entryOf } from './support/custom-world.ts';
import { PeerWorld } from './support/peer-world.ts';

/** Traces that real sidecars send to a real OpenTelemetry collector. */

const at = { port: 9000 };
const PROVIDERS = [
  { name: 'otlp', opentelemetry: { service: 'observe/grpc.example.com', ...at } },
  { name: 'otlp-http', opentelemetry: { service: 'observe/http.example.com', ...at, http: {} } },
  { name: 'b3', zipkin: { service: 'observe/zipkin.example.com', ...at } },
  {
    name: 'both',
    zipkin: { service: 'observe/zipkin.example.com', ...at, traceContextOption: 'USE_B3_WITH_W3C_PROPAGATION' },
  },
  {
    name: 'logs',
    envoyOtelAls: { service: 'observe/grpc.example.com', ...at, logFormat: { labels: { path: '%REQ(:PATH)%' } } },
  },
];
const CLIENT = 3;
const SERVER = 2;
const TRACE = '0af7651916cd43dd8448eb211c80319c';
const PARENT = 'b7ad6b7169203331';
let collector: CollectorProcess;
let world: PeerWorld;

beforeAll(async () => {
  collector = await CollectorProcess.start();
  world = await PeerWorld.start({ extensionProviders: extensionProviders.parse(PROVIDERS) }, undefined, true);
  const { grpc, http, zipkin } = collector.ports;
  await world.put(
    entryOf('grpc.example.com', grpc, 'observe'),
    entryOf('http.example.com', http, 'observe'),
    entryOf('zipkin.example.com', zipkin, 'observe'),
  );
}, 300_000);
afterAll(async () => {
  await world?.stop();
  await collector?.stop();
});

const say = (...tracing: TelemetryTracing[]) =>
  world.put({ kind: 'Telemetry', object: telemetry('shop/traces', { tracing }) });
const of = (provider: string, more: TelemetryTracing = {}): TelemetryTracing => ({
  providers: [{ name: provider }],
  randomSamplingPercentage: 100,
  ...more,
});

/** The spans of a request, that of the caller first. */
async function spansOf(path: string, count = 2): Promise<CollectedSpan[]> {
  const isOf = ({ attributes }: CollectedSpan): boolean => String(attributes['http.url']).endsWith(path);
  return (await collector.spansWhere(isOf, count)).sort((a, b) => b.kind - a.kind);
}

/** The headers that the application got with its last request. */
const got = () => world.got.at(-1) ?? {};

describe.each(['otlp', 'otlp-http', 'b3', 'both'])('to the provider %s', (provider) => {
  test('a request has a span of each side, of one trace, and the application gets its context', async () => {
    await say(of(provider));
    expect((await world.call('http', `/${provider}`)).status).toBe(200);
    const [caller, server] = await spansOf(`/${provider}`);
    expect(caller).toMatchObject({ kind: CLIENT });
    expect(server).toMatchObject({ kind: SERVER, traceId: caller?.traceId, parentSpanId: caller?.spanId });
    expect(server?.attributes).toMatchObject({
      'heddle.revision': 'r1',
      'istio.namespace': 'shop',
      'http.status_code': '200',
    });
    expect(caller?.attributes['heddle.route']).toBe('default');
    expect(caller?.attributes.upstream_cluster).toMatch(/^outbound\|/);
    if (provider === 'b3' || provider === 'both') {
      expect(got()).toMatchObject({
        'x-b3-traceid': caller?.traceId,
        'x-b3-spanid': server?.spanId,
        'x-b3-sampled': '1',
      });
    }
    if (provider !== 'b3') {
      expect(got().traceparent).toBe(`00-${caller?.traceId}-${server?.spanId}-01`);
    }
    if (provider.startsWith('otlp')) {
      expect(caller?.resource).toMatchObject({ 'service.name': 'client', 'service.namespace': 'shop' });
      expect(server?.resource).toMatchObject({ 'service.name': 'web', 'service.namespace': 'shop' });
    }
  }, 120_000);
});

test('a trace that a caller began goes on, by W3C and by B3', async () => {
  await say(of('otlp', { randomSamplingPercentage: 0 }));
  await world.call('http', '/w3c', { traceparent: `00-${TRACE}-${PARENT}-01`, tracestate: 'a=b' });
  const [caller] = await spansOf('/w3c');
  expect(caller).toMatchObject({ traceId: TRACE, parentSpanId: PARENT });
  expect(got()).toMatchObject({ traceparent: expect.stringMatching(`^00-${TRACE}-`), tracestate: 'a=b' });
  await say(of('b3', { randomSamplingPercentage: 0 }));
  await world.call('http', '/from-b3', { 'x-b3-traceid': TRACE, 'x-b3-spanid': PARENT, 'x-b3-sampled': '1' });
  const [client] = await spansOf('/from-b3');
  expect(client).toMatchObject({ traceId: TRACE, parentSpanId: PARENT });
}, 120_000);

test('spans have the tags that are asked for', async () => {
  const customTags = {
    stage: { literal: { value: 'test' } },
    secret: { header: { name: 'x-secret' } },
    missing: { header: { name: 'x-missing', defaultValue: 'none' } },
    namespace: { environment: { name: 'OTEL_RESOURCE_ATTRIBUTES', defaultValue: 'none' } },
    flags: { formatter: { value: 'code %RESPONSE_CODE%' } },
  };
  await say(of('otlp', { customTags, enableIstioTags: false }));
  await world.call('http', '/tagged');
  const [caller, server] = await spansOf('/tagged');
  for (const span of [caller, server]) {
    expect(span?.attributes).toMatchObject({ stage: 'test', secret: 'tagged', missing: 'none', flags: 'code 200' });
    expect(span?.attributes).not.toHaveProperty(['istio.namespace']);
  }
  expect(caller?.attributes.namespace).toBe('service.name=client,service.namespace=shop');
}, 120_000);

test('one side alone may be traced, and nothing is where spans are not reported', async () => {
  await say(of('otlp', { match: { mode: 'SERVER' } }));
  await world.call('http', '/server-alone');
  expect(await spansOf('/server-alone', 1)).toMatchObject([{ kind: SERVER, parentSpanId: '' }]);
  await say(of('otlp', { disableSpanReporting: true }));
  const traceparent = `00-${TRACE}-${PARENT}-01`;
  await world.call('http', '/untraced', { traceparent });
  // What was there passes as it came.
  expect(got().traceparent).toBe(traceparent);
  await say(of('otlp'));
  await world.call('http', '/afterwards');
  await spansOf('/afterwards');
  const paths = (await collector.spans()).map(({ attributes }) => String(attributes['http.url']));
  expect(paths.filter((path) => path.endsWith('/untraced'))).toEqual([]);
  expect(paths.filter((path) => path.endsWith('/server-alone'))).toHaveLength(1);
}, 120_000);

test('where context is not to be propagated, spans are made and the application is told of none', async () => {
  await say(of('otlp', { disableContextPropagation: true }));
  expect((await world.call('http', '/silent')).status).toBe(200);
  expect(got()).not.toHaveProperty('traceparent');
  const [caller, server] = await spansOf('/silent');
  expect(server).toMatchObject({ kind: SERVER, parentSpanId: '' });
  expect(server?.traceId).not.toBe(caller?.traceId);
  // What was there passes as it came.
  const traceparent = `00-${TRACE}-${PARENT}-01`;
  await world.call('http', '/told-before', { traceparent });
  expect(got().traceparent).toBe(traceparent);
  for (const span of await spansOf('/told-before'))
    expect(span).toMatchObject({ traceId: TRACE, parentSpanId: PARENT });
}, 120_000);

test('sampling is by the share that is asked for, and who began a trace has decided for all', async () => {
  await say(of('otlp', { randomSamplingPercentage: 0 }));
  await world.call('http', '/by-no-lot');
  await say(of('otlp'));
  await world.call('http', '/not-sampled', { traceparent: `00-${TRACE}-${PARENT}-00` });
  expect(got().traceparent).toMatch(new RegExp(`^00-${TRACE}-.*-00$`));
  await world.call('http', '/by-lot');
  await spansOf('/by-lot');
  const paths = (await collector.spans()).map(({ attributes }) => String(attributes['http.url']));
  expect(paths.filter((path) => /\/(?:by-no-lot|not-sampled)$/.test(path))).toEqual([]);
}, 120_000);

test("a request's ID decides with Zipkin, and with OpenTelemetry where that is asked for", async () => {
  // What the first digit of the third group says of the request: that it is sampled.
  const id = { 'x-request-id': 'a9f7651a-16cd-93dd-8448-eb211c80319c' };
  const none = { randomSamplingPercentage: 0 };
  await say(of('b3', none));
  await world.call('http', '/id-by-b3', id);
  await spansOf('/id-by-b3');
  await say(of('otlp', none));
  await world.call('http', '/id-ignored', id);
  await say(of('otlp', { ...none, useRequestIdForTraceSampling: true }));
  await world.call('http', '/id-by-otlp', id);
  await spansOf('/id-by-otlp');
  const paths = (await collector.spans()).map(({ attributes }) => String(attributes['http.url']));
  expect(paths.filter((path) => path.endsWith('/id-ignored'))).toEqual([]);
}, 120_000);

test('logs go to the collector too', async () => {
  const accessLogging = [{ providers: [{ name: 'logs' }] }];
  await world.put({ kind: 'Telemetry', object: telemetry('shop/traces', { accessLogging }) });
  await world.call('http', '/logged');
  const logged = async () => (await collector.logs()).filter(({ attributes }) => attributes.path === '/logged');
  for (const end = performance.now() + 60_000; performance.now() < end && (await logged()).length < 2; ) {
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
  expect((await logged()).map(({ resource }) => resource['service.name']).sort()).toEqual(['client', 'web']);
}, 120_000);

test('while nobody takes spans, no request is lost, and afterwards they come again', async () => {
  await say(of('otlp'));
  await collector.pause();
  for (let n = 0; n < 50; n++) expect((await world.call('http', `/down-${n}`)).status).toBe(200);
  expect(world.snapshot.policies.get('Telemetry/shop/traces')?.problems).toEqual([]);
  await collector.resume();
  for (const end = performance.now() + 60_000; performance.now() < end; ) {
    await world.call('http', '/up-again');
    const found = await collector.spansWhere(
      ({ attributes }) => String(attributes['http.url']).endsWith('/up-again'),
      0,
    );
    if (found.length > 0) return;
    await new Promise((resolve) => setTimeout(resolve, 200));
  }
  throw new Error('no span came after the collector was there again');
}, 180_000);
