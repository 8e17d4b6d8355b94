import { Agent, type IncomingHttpHeaders } from 'node:http';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { LOADING_ANNOTATION } from '../../api/pod-names.ts';
import type { MeshChange, MeshObject } from '../../operator/mesh/mesh-object.ts';
import { destinationRule, pod, SETTINGS, service, slice, virtualService } from '../../operator/mesh/testing/objects.ts';
import { type AdsHarness, nodeIdOf, startHarness } from './support/ads-harness.ts';
import { credibleRange } from './support/binomial.ts';
import { type Echo, type EchoBackend, startEchoBackend } from './support/echo-backend.ts';
import { type EnvoyProcess, startEnvoy } from './support/envoy-process.ts';
import { freePort } from './support/free-port.ts';
import { call } from './support/http-call.ts';
import { httpListener, MeshOnStream } from './support/mesh-on-stream.ts';
import { randomRules, type TrafficRequest, trafficRequests } from './support/random-traffic.ts';

/** By hand: `EQUIVALENCE_REQUESTS=100000 EQUIVALENCE_SEED=7`. So many go to each of both. */
const { EQUIVALENCE_REQUESTS = '3000', EQUIVALENCE_SEED = String(Date.now() % 1_000_000_007) } = process.env;
const SEED = Number(EQUIVALENCE_SEED);
/** Requests of a round that differ, and how often each is sent. Of two answers by chance, all of these are the same once in 10^12. */
const DIFFERENT = 30;
const REPEATS = 20;
/** How often a request is sent whose answers are shared out. */
const SHARED_REPEATS = 120;
const ROUNDS = Math.ceil(Number(EQUIVALENCE_REQUESTS) / (DIFFERENT * REPEATS));
const NAMES = ['s0', 's1', 's2', 's3', 's4', 's5'];
/** No request may take as long. */
const ANSWER_MS = 15_000;
/** Clusters outlive the last route to them by one second. */
const SETTLE_MS = 1200;
/** Headers that no two requests have alike. */
const OWN = new Set(['x-request-id', 'x-envoy-upstream-service-time', 'date']);

type Loading = 'eager' | 'on-demand';

function shown(headers: IncomingHttpHeaders): Record<string, unknown> {
  const isTold = (name: string): boolean => (name.startsWith('x-') && !OWN.has(name)) || name === 'host';
  return Object.fromEntries(Object.entries(headers).filter(([name]) => isTold(name)));
}

/** A body without what no two requests have alike. */
function shownBody(body: string): unknown {
  if (!body.startsWith('{')) return body;
  const echo = JSON.parse(body) as Echo;
  return { ...echo, headers: shown(echo.headers) };
}

/** A mesh with one sidecar of its own. */
class World {
  readonly mesh = new MeshOnStream(SETTINGS);
  private harness: AdsHarness | undefined;
  private envoy: EnvoyProcess | undefined;
  private at = 0;
  private readonly agent = new Agent({ keepAlive: true, maxSockets: 16 });

  async start(loading: Loading, objects: readonly MeshObject[]): Promise<void> {
    this.harness = await startHarness(this.mesh.sources);
    const client = this.harness.addPod('client');
    const own = pod('client', { uid: client.uid, address: client.ips[0] ?? '' });
    own.metadata = { ...own.metadata, annotations: { ...own.metadata?.annotations, [LOADING_ANNOTATION]: loading } };
    this.at = await freePort();
    this.mesh.put({ kind: 'Pod', object: own }, ...objects);
    this.mesh.listeners.update([httpListener(this.at, 80, loading === 'on-demand')]);
    const { port: adsPort, rootPem } = this.harness;
    this.envoy = await startEnvoy({ nodeId: nodeIdOf(client), token: client.token, adsPort, rootPem });
  }

  /** Everything that can be told apart of the answer, as text. */
  async ask({ method, host, path, headers, bytes }: TrafficRequest): Promise<string> {
    const options = { agent: this.agent, port: this.at, method, path, headers: { ...headers, host } };
    const body = method === 'POST' ? Buffer.alloc(bytes) : undefined;
    try {
      const answer = await call({ ...options, signal: AbortSignal.timeout(ANSWER_MS) }, body);
      const { status } = answer;
      const { location } = answer.headers;
      return JSON.stringify({ status, headers: shown(answer.headers), location, body: shownBody(answer.body) });
    } catch (error) {
      return `error: ${String(error)}`;
    }
  }

  /** Waits until a host that answers by itself says what it was last told to. */
  async reached(mark: string): Promise<void> {
    const hello: TrafficRequest = { method: 'GET', host: 'marker.example.com', path: '/', headers: {}, bytes: 0 };
    for (const end = performance.now() + 20_000; performance.now() < end; ) {
      if ((await this.ask(hello)).includes(mark)) return;
      await new Promise((resolve) => setTimeout(resolve, 10));
    }
    throw new Error(`${mark} did not arrive: ${this.envoy?.log()}`);
  }

  /** Outbound clusters that the proxy has. */
  async clusters(): Promise<number> {
    const text = (await this.envoy?.admin('/clusters')) ?? '';
    return new Set([...text.matchAll(/^(outbound\|[^:]*)::/gm)].map(([, name]) => name)).size;
  }

  async stop(): Promise<void> {
    this.agent.destroy();
    await this.envoy?.stop();
    await this.harness?.stop();
  }
}

describe('a sidecar on demand and an eager one', () => {
  const worlds = { eager: new World(), 'on-demand': new World() };
  const backends = new Map<string, EchoBackend>();

  beforeAll(async () => {
    for (const name of NAMES) backends.set(name, await startEchoBackend(name, '0.0.0.0'));
    const objects = [...NAMES.flatMap(objectsOf), marker('start')];
    for (const loading of ['eager', 'on-demand'] as const) await worlds[loading].start(loading, objects);
    await both((world) => world.reached('start'));
  }, 60_000);

  afterAll(async () => {
    await both((world) => world.stop());
    for (const backend of backends.values()) backend.close();
  });

  const both = (work: (world: World) => Promise<unknown>) => Promise.all(Object.values(worlds).map(work));

  function objectsOf(name: string): MeshObject[] {
    const target = backends.get(name)?.port ?? 0;
    const pods = ['1', '2'].map((digit) =>
      pod(`${name}-v${digit}`, {
        injected: false,
        address: `127.0.0.${digit}`,
        labels: { app: name, version: `v${digit}` },
      }),
    );
    const ports = [{ name: 'http', port: 80, targetPort: target }];
    const subsets = ['v1', 'v2'].map((version) => ({ name: version, labels: { version } }));
    return [
      ...pods.map((object): MeshObject => ({ kind: 'Pod', object })),
      { kind: 'Service', object: service(name, { app: name }, { clusterIP: 'None', ports }) },
      { kind: 'EndpointSlice', object: slice(name, pods, { http: target }) },
      { kind: 'DestinationRule', object: destinationRule(`shop/${name}`, { host: name, subsets }) },
    ];
  }

  function marker(mark: string): MeshObject {
    const http = [{ directResponse: { status: 200, body: { string: mark } } }];
    return { kind: 'VirtualService', object: virtualService('shop/marker', { hosts: ['marker.example.com'], http }) };
  }

  /** Gives some Services other rules, or none, and takes one away or brings it back. */
  async function change(round: number): Promise<void> {
    const seed = SEED + round;
    const rules = fc.sample(randomRules(NAMES), { numRuns: 3, seed });
    const [unruled, gone] = fc.sample(fc.constantFrom(...NAMES), { numRuns: 2, seed });
    const removed: MeshChange[] = [
      { kind: 'VirtualService', key: `shop/${unruled}`, object: undefined },
      { kind: 'Service', key: `shop/${gone}`, object: undefined },
    ];
    const back = round % 2 === 1;
    await both(async ({ mesh }) => {
      if (back) mesh.put(...NAMES.flatMap(objectsOf));
      else mesh.apply(removed);
      mesh.put(
        ...rules.map(
          ({ host, spec }): MeshObject => ({ kind: 'VirtualService', object: virtualService(`shop/${host}`, spec) }),
        ),
        marker(`round ${round}`),
      );
    });
    await both((world) => world.reached(`round ${round}`));
    await new Promise((resolve) => setTimeout(resolve, SETTLE_MS));
  }

  /** How often each answer came. */
  async function answersTo(world: World, one: TrafficRequest, times: number): Promise<Map<string, number>> {
    const counts = new Map<string, number>();
    const answers = await Promise.all(Array.from({ length: times }, () => world.ask(one)));
    for (const answer of answers) counts.set(answer, (counts.get(answer) ?? 0) + 1);
    return counts;
  }

  /** What is wrong with the answers of both to a request; undefined: nothing. */
  async function difference(one: TrafficRequest, seen: Set<string>): Promise<string | undefined> {
    const ask = (times: number) =>
      Promise.all([answersTo(worlds.eager, one, times), answersTo(worlds['on-demand'], one, times)]);
    let [eager, onDemand] = await ask(REPEATS);
    for (const answer of eager.keys()) seen.add(statusOf(answer));
    if (eager.size > 1 || onDemand.size > 1) [eager, onDemand] = await ask(SHARED_REPEATS);
    const report = `${JSON.stringify(one)}: eager ${JSON.stringify([...eager])}, on demand ${JSON.stringify([...onDemand])}`;
    for (const answer of new Set([...eager.keys(), ...onDemand.keys()])) {
      if (answer.startsWith('error')) return report;
      const [a, b] = [eager.get(answer) ?? 0, onDemand.get(answer) ?? 0];
      // Of what came so often in all, each side had its half.
      const { least, most } = credibleRange(a + b, 0.5);
      const isShared = eager.size > 1 && onDemand.size > 1;
      if (isShared ? a < least || a > most : a !== b) return report;
    }
    return undefined;
  }

  test('hold all clusters, and none', async () => {
    expect(await worlds.eager.clusters()).toBe(NAMES.length * 3);
    expect(await worlds['on-demand'].clusters()).toBe(0);
  });

  test(
    'answer alike, whatever the rules, and whatever comes and goes',
    async () => {
      const seen = new Set<string>();
      const differences: string[] = [];
      for (let round = 0; round < ROUNDS; round++) {
        await change(round);
        const requests = fc.sample(trafficRequests(NAMES), { numRuns: DIFFERENT, seed: SEED + round });
        for (const backend of backends.values()) backend.forget();
        for (const one of requests) {
          const found = await difference(one, seen);
          if (found !== undefined) differences.push(`EQUIVALENCE_SEED=${SEED}, round ${round}: ${found}`);
        }
      }
      expect(differences).toEqual([]);
      // It was worth it: requests were forwarded, and some had nowhere to go.
      expect([...seen].sort()).toEqual(expect.arrayContaining(['200', '503']));
    },
    60_000 + ROUNDS * 20_000,
  );
});

function statusOf(answer: string): string {
  return /"status":(\d+)/.exec(answer)?.[1] ?? answer;
}
