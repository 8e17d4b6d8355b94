import { createServer, request, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import type { CanaryStatus } from '../../api/canary-status.ts';
import { LOADING_ANNOTATION } from '../../api/pod-names.ts';
import type { MeshObject } from '../../operator/mesh/mesh-object.ts';
import {
  canary,
  destinationRule,
  pod,
  SETTINGS,
  service,
  slice,
  virtualService,
} from '../../operator/mesh/testing/objects.ts';
import { type AdsHarness, nodeIdOf, startHarness, type TestPod } from './support/ads-harness.ts';
import { type EnvoyProcess, startEnvoy } from './support/envoy-process.ts';
import { freePort } from './support/free-port.ts';
import { httpListener, MeshOnStream } from './support/mesh-on-stream.ts';
import { serviceAt } from './support/service-at.ts';

/**
 * Whatever a route comes to lead to, a sidecar with configuration on demand has it when it has the route: the operator may be gone a moment later, and
 * the steps of a release are when that would be noticed.
 */

const DEADLINE_MS = 10_000;

let backends: { server: Server; port: number }[];
let mesh: MeshOnStream;
let harness: AdsHarness;
let envoy: EnvoyProcess;
let at: number;

async function startBackend(name: string, address = '127.0.0.1', at = 0): Promise<{ server: Server; port: number }> {
  const server = createServer((_, response) => response.end(name));
  await new Promise<void>((resolve) => server.listen(at, address, resolve));
  return { server, port: (server.address() as AddressInfo).port };
}

/** What a request for `web` comes to: what the backend says, or the status. */
function call(): Promise<string> {
  return new Promise((resolve) => {
    const sent = request({ host: '127.0.0.1', port: at, headers: { host: 'web' }, agent: false }, (response) => {
      let text = '';
      response.setEncoding('utf8').on('data', (data: string) => {
        text += data;
      });
      response.on('end', () => resolve(response.statusCode === 200 ? text : String(response.statusCode)));
    });
    sent.setTimeout(5000, () => sent.destroy(new Error('no answer')));
    sent.on('error', ({ message }) => resolve(message)).end();
  });
}

async function until(holds: () => Promise<boolean>): Promise<void> {
  for (const end = performance.now() + DEADLINE_MS; performance.now() < end; ) {
    if (await holds()) return;
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
  throw new Error(`did not come about: ${envoy.log()}`);
}

/** What the sidecar's routes say. */
const routes = (): Promise<string> => envoy.admin('/config_dump?resource=dynamic_route_configs');

/** A Deployment's pods of two revisions, the newer held back, as one Service. */
function release(status: CanaryStatus): MeshObject[] {
  const at = (revision: string, index: number) =>
    pod(`web-${revision}`, {
      deployment: 'web',
      revision,
      gated: revision === 'r2',
      injected: false,
      labels: { app: 'web' },
      uid: revision,
      address: `127.0.0.${index + 1}`,
    });
  const pods = [at('r1', 0), at('r2', 1)];
  const progress = { stableRevision: 'r1', canaryRevision: 'r2', ungatedRevisions: ['r1'], ...status };
  const target = backends[0]?.port ?? 0;
  return [
    ...pods.map((object): MeshObject => ({ kind: 'Pod', object })),
    {
      kind: 'Service',
      object: service(
        'web',
        { app: 'web' },
        { clusterIP: 'None', ports: [{ name: 'http', port: 80, targetPort: target }] },
      ),
    },
    { kind: 'EndpointSlice', object: slice('web', pods, { http: target }) },
    { kind: 'Canary', object: canary('web', 'web', progress) },
  ];
}

const route = (...destinations: object[]): MeshObject => ({
  kind: 'VirtualService',
  object: virtualService('shop/web', { hosts: ['web'], http: [{ route: destinations as never }] }),
});
const toHost = (host: string, weight: number) => ({ destination: { host }, weight });
const toSubset = (subset: string, weight: number) => ({ destination: { host: 'web', subset }, weight });

beforeAll(async () => {
  const one = await startBackend('one');
  backends = [one, await startBackend('two'), await startBackend('two', '127.0.0.2', one.port)];
});

afterAll(() => {
  for (const { server } of backends) server.close();
});

beforeEach(async () => {
  mesh = new MeshOnStream(SETTINGS);
  harness = await startHarness(mesh.sources, { removalDelayMs: 0 });
  const client: TestPod = harness.addPod('client');
  const own = pod('client', { uid: client.uid, address: client.ips[0] ?? '' });
  own.metadata = { ...own.metadata, annotations: { ...own.metadata?.annotations, [LOADING_ANNOTATION]: 'on-demand' } };
  at = await freePort();
  mesh.put({ kind: 'Pod', object: own });
  mesh.listeners.update([httpListener(at, 80, true)]);
  envoy = await startEnvoy({
    nodeId: nodeIdOf(client),
    token: client.token,
    adsPort: harness.port,
    rootPem: harness.rootPem,
  });
});

afterEach(async () => {
  await envoy.stop();
  await harness.stop();
});

interface Case {
  readonly before: () => MeshObject[];
  readonly after: () => MeshObject[];
  /** Stands in the sidecar's routes once it has the new ones. */
  readonly sign: string;
  /** So long the operator stays yet: what is to go has gone by then. */
  readonly staysMs?: number;
  /** Who answers some requests then. */
  readonly reached: 'one' | 'two';
}

const subsets = (): MeshObject[] => [
  ...serviceAt('web', backends[0]?.port ?? 0),
  {
    kind: 'DestinationRule',
    object: destinationRule('shop/web', { host: 'web', subsets: [{ name: 'v1' }, { name: 'v2' }] }),
  },
];

const CASES: Record<string, Case> = {
  'a share for another Service': {
    before: () => [
      ...serviceAt('web', backends[0]?.port ?? 0),
      ...serviceAt('next', backends[1]?.port ?? 0),
      route(toHost('web', 100)),
    ],
    after: () => [route(toHost('web', 50), toHost('next', 50))],
    sign: 'next',
    reached: 'two',
  },
  'a share for a subset': {
    before: () => [...subsets(), route(toSubset('v1', 100))],
    after: () => [route(toSubset('v1', 50), toSubset('v2', 50))],
    sign: '|v2|',
    reached: 'one',
  },
  'another subset': {
    before: () => [...subsets(), route(toSubset('v1', 100))],
    after: () => [route(toSubset('v2', 100))],
    sign: '|v2|',
    reached: 'one',
  },
  'a first share for what is released': {
    before: () => release({ weight: 0 }),
    after: () => release({ weight: 50, ungatedRevisions: ['r1', 'r2'] }),
    sign: '|r2',
    reached: 'two',
  },
  'what was released, by copies of requests before': {
    before: () => release({ weight: 0, mirrorWeight: 100, ungatedRevisions: ['r1', 'r2'] }),
    after: () => release({ weight: 100, ungatedRevisions: ['r1', 'r2'] }),
    sign: '|r2',
    staysMs: 500,
    reached: 'two',
  },
};

describe('the operator is gone as soon as a sidecar has a route to', () => {
  test.each(Object.entries(CASES))('%s', async (_, { before, after, sign, reached, staysMs = 0 }) => {
    mesh.put(...before());
    await until(async () => (await call()) === 'one');
    mesh.put(...after());
    await until(async () => (await routes()).includes(sign));
    await new Promise((resolve) => setTimeout(resolve, staysMs));
    await harness.stop();
    const answers = await Promise.all(Array.from({ length: 50 }, call));
    expect(answers.filter((answer) => answer !== 'one' && answer !== 'two')).toEqual([]);
    expect(answers).toContain(reached);
  });
});
