import { randomUUID } from 'node:crypto';
import { afterAll, describe, expect } from '@jest/globals';
import { waitFor, waitUntil } from '../../hack/mesh/wait.ts';
import { type CanaryObject, canaryOf } from './support/canary-fixture.ts';
import { collector, OTLP_PORT, spansOf, tracesOf } from './support/collector.ts';
import { conditionMessage, programmed } from './support/conditions.ts';
import { heddle, where } from './support/heddle-command.ts';
import { clusterSetup, clusterTest, useNamespace } from './support/namespace.ts';
import { SHOP_DEPLOYMENTS, smallShop } from './support/sample-shop.ts';

/** Providers come with an upgrade of the running mesh, and a Telemetry tells them of the shop's requests. */

const shop = useNamespace('telemetry');
const [TRACER, LOGGER] = ['shop-traces', 'shop-lines'];
const PROVIDERS = [
  {
    name: TRACER,
    opentelemetry: { service: `collector.${shop.name}.svc.cluster.local`, port: OTLP_PORT },
  },
  {
    name: LOGGER,
    envoyFileAccessLog: {
      path: '/dev/stdout',
      logFormat: { labels: { path: '%REQ(:PATH)%', status: '%RESPONSE_CODE%', trace: '%REQ(TRACEPARENT)%' } },
    },
  },
];

/** @param sampling percent of requests that begin a trace */
const telemetry = (sampling: number): object => ({
  apiVersion: 'telemetry.istio.io/v1',
  kind: 'Telemetry',
  metadata: { name: 'shop' },
  spec: {
    tracing: [{ providers: [{ name: TRACER }], randomSamplingPercentage: sampling }],
    accessLogging: [
      {
        match: { mode: 'SERVER' },
        providers: [{ name: LOGGER }],
        filter: { expression: "response.code >= 500 || request.url_path.startsWith('/kept')" },
      },
    ],
  },
});

/** Its weight is 50 as long as these tests take. */
const canary = canaryOf('ordering', { interval: '9m', threshold: 1, stepWeights: [50, 100] });

clusterSetup(
  [shop],
  async () => {
    await shop.apply(smallShop(), ...collector(), canary, telemetry(0));
    await Promise.all([...SHOP_DEPLOYMENTS, 'collector'].map((name) => shop.rolledOut(name)));
  },
  240_000,
);

const upgrade = (providers: string) =>
  heddle('upgrade', '--set', `extensionProviders=${providers}`, '--force-conflicts', ...where);
let upgraded = false;
afterAll(async () => {
  if (upgraded) expect(await upgrade('null')).toMatchObject({ code: 0 });
}, 200_000);

const inLoad = (...command: string[]): Promise<string> =>
  shop.run('exec', 'deploy/load', '-c', 'load', '--', ...command);

interface Counts {
  readonly sent: number;
  readonly failed: number;
}
const counts = async (): Promise<Counts> => JSON.parse(await inLoad('node', '/app/main.ts', 'counts')) as Counts;

const CALLS = `const answers = [];
for (const path of process.argv.slice(1)) answers.push(await (await fetch('http://ui' + path)).json());
console.log(JSON.stringify(answers));`;

/** So many at once go over every connection that the sidecars have. */
const AT_ONCE = 24;
const BURST = `const ask = async () => (await fetch('http://ui' + process.argv[1])).text();
await Promise.all(Array.from({ length: ${AT_ONCE} }, ask));`;
/** Each call crosses three services, and has a span at either end. */
const SPANS = 6;

interface ShopAnswer {
  readonly chain: readonly { readonly service: string; readonly version: string }[];
}

/** Calls the shop as the load generator does, once for each path. */
async function call(...paths: string[]): Promise<ShopAnswer[]> {
  return JSON.parse(await inLoad('node', '--input-type=module', '-e', CALLS, ...paths)) as ShopAnswer[];
}

/** Waits until all is traced: what a sidecar has acknowledged serves a moment later, and a connection from before is under the settings of then for one answer more. */
async function settle(): Promise<void> {
  const burst = async (): Promise<true> => {
    const path = `/left-out/${randomUUID()}`;
    await inLoad('node', '--input-type=module', '-e', BURST, path);
    // Envoy sends spans after five seconds at the latest.
    const told = async () => {
      const { length } = await spansOf(shop, path);
      return length === AT_ONCE * SPANS ? undefined : `${length}`;
    };
    await waitUntil('spans', told, { everyMs: 500, timeoutMs: 8000 });
    return true;
  };
  await waitFor(`${SPANS} spans of each of ${AT_ONCE} requests at once`, burst, { timeoutMs: 90_000 });
}

describe('a Telemetry', () => {
  clusterTest('whose providers the mesh does not have says so', [shop], async () => {
    const message = await conditionMessage(shop, 'telemetry', 'shop', 'Accepted', 'True');
    for (const [field, name] of [
      ['tracing', TRACER],
      ['accessLogging', LOGGER],
    ]) {
      expect(message).toContain(
        `spec.${field}[0].providers: nothing is told, as the mesh configuration has no provider "${name}".`,
      );
    }
  });
});

describe('heddle upgrade', () => {
  clusterTest('changes the settings of a mesh that runs, and no request is lost', [shop], async () => {
    const before = await counts();
    upgraded = true;
    const { code, stdout, stderr } = await upgrade(JSON.stringify(PROVIDERS));
    expect({ code, stderr: code === 0 ? '' : stderr }).toEqual({ code: 0, stderr: '' });
    expect(stdout).toMatch(/~ ConfigMap heddle-system\/heddle-mesh\n(.*\n)* +\+ .*shop-traces/);
    expect(stdout).toMatch(/~ Deployment heddle-system\/heddle-operator\n/);
    expect(stdout).toMatch(/\nHeddle \S+ is in place: \d+ objects changed, \d+ stayed as they were\.\n$/);
    const checked = await heddle('check', '--wait', '2m', '-n', shop.name, ...where);
    expect(checked.code === 0 ? '' : checked.stdout).toBe('');
    const after = await counts();
    expect(after.failed - before.failed).toBe(0);
    expect(after.sent - before.sent).toBeGreaterThan(0);
    await waitUntil('a Telemetry whose providers there are', async () => {
      const message = await conditionMessage(shop, 'telemetry', 'shop', 'Accepted', 'True');
      return message.includes('nothing is told') ? message : undefined;
    });
  });
});

describe('a trace', () => {
  clusterTest('crosses UI, Ordering and Inventory, and a log names it', [shop], async () => {
    await inLoad('node', '/app/main.ts', 'rate', '0');
    await shop.apply(telemetry(100));
    await programmed(shop, 'telemetry', 'shop');
    await settle();
    await call('/kept');
    const spans = (await tracesOf(shop, ['/kept'], SPANS)).get('/kept') ?? [];
    expect(spans.map(({ kind, resource }) => `${kind} ${resource['service.name']}`)).toEqual([
      '3 load',
      '2 ui',
      '3 ui',
      '2 ordering',
      '3 ordering',
      '2 inventory',
    ]);
    const [trace, ...others] = new Set(spans.map(({ traceId }) => traceId));
    expect([trace, others]).toEqual([expect.stringMatching(/^[0-9a-f]{32}$/), []]);
    for (const { resource, attributes } of spans) {
      expect(resource['service.namespace']).toBe(shop.name);
      expect(attributes).toMatchObject({ 'http.status_code': '200', 'istio.namespace': shop.name });
    }
    const lines = await waitFor('a line of each server', async () => {
      const logs = ['ui', 'ordering', 'inventory'].map(async (app) => {
        const text = await shop.run('logs', `deployment/${app}`, '-c', 'istio-proxy');
        return text.split('\n').filter((line) => line.startsWith('{"') && line.includes('"path":'));
      });
      const found = (await Promise.all(logs)).flat();
      return found.length < 3 ? undefined : found.map((line) => JSON.parse(line) as object);
    });
    // Nothing of what the filter leaves out, the requests before.
    const logged = { path: '/kept', status: 200, trace: expect.stringContaining(`-${trace}-`) };
    expect(lines).toEqual([logged, logged, logged]);
  });

  clusterTest('names the revision that answered, of those that a canary splits requests between', [shop], async () => {
    await shop.run('set', 'env', 'deployment/ordering', 'VERSION=v2');
    const split = await shop.waitFor<CanaryObject>(
      'canary',
      'ordering',
      ({ status = {} }) => (status.weight === 50 ? undefined : JSON.stringify(status)),
      { timeoutMs: 120_000 },
    );
    const { stableRevision, canaryRevision } = split.status ?? {};
    // The caller's sidecar may hear of it a moment later.
    let paths: string[] = [];
    const answers = await waitFor('answers of both', async () => {
      paths = Array.from({ length: 20 }, () => `/split/${randomUUID()}`);
      const all = await call(...paths);
      return new Set(all.map(({ chain }) => chain[1]?.version)).size === 2 ? all : undefined;
    });
    const traces = await tracesOf(shop, paths, SPANS);
    for (const [index, { chain }] of answers.entries()) {
      const [, , caller, server] = traces.get(paths[index] ?? '') ?? [];
      const revision = chain[1]?.version === 'v2' ? canaryRevision : stableRevision;
      expect(server?.attributes['heddle.revision']).toBe(revision);
      expect(caller?.attributes.upstream_cluster).toBe(
        `outbound|80||ordering.${shop.name}.svc.cluster.local|${revision}`,
      );
    }
  });
});
