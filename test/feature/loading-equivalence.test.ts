import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import type { MeshChange, MeshObject } from '../../operator/mesh/mesh-object.ts';
import { destinationRule, pod, service, slice, virtualService } from '../../operator/mesh/testing/objects.ts';
import { credibleRange } from './support/binomial.ts';
import { type ByteCounter, startByteCounter } from './support/byte-counter.ts';
import { type EchoBackend, startEchoBackend } from './support/echo-backend.ts';
import { LoadingWorld } from './support/loading-world.ts';
import {
  randomRules,
  randomTcpRules,
  type TrafficConnection,
  type TrafficRequest,
  trafficConnections,
  trafficRequests,
} from './support/random-traffic.ts';
import { addressOf } from './support/sidecar-on-stream.ts';

/** By hand: `EQUIVALENCE_REQUESTS=100000 EQUIVALENCE_SEED=7`. So many go to each of both. */
const { EQUIVALENCE_REQUESTS = '3000', EQUIVALENCE_SEED = String(Date.now() % 1_000_000_007) } = process.env;
const SEED = Number(EQUIVALENCE_SEED);
/** Requests of a round that differ, and how often each is sent. Of two answers by chance, all of these are the same once in 10^12. */
const DIFFERENT = 30;
const REPEATS = 20;
/** How often a request is sent whose answers are shared out. */
const SHARED_REPEATS = 120;
/** How many of these are under way at a time: of a burst, Envoy sends three quarters to the endpoint that had the fewest requests before it. */
const SHARED_LANES = 2;
const ROUNDS = Math.ceil(Number(EQUIVALENCE_REQUESTS) / (DIFFERENT * REPEATS));
const NAMES = ['s0', 's1', 's2', 's3', 's4', 's5'];
const TCP_NAMES = ['t1', 't2', 't3', 't4'];
/** Of the requests of a round, those that are connections of TCP. */
const CONNECTIONS = 6;
/** Clusters outlive the last route to them by one second. */
const SETTLE_MS = 1200;
describe('a sidecar on demand and an eager one', () => {
  const worlds = { eager: new LoadingWorld(), 'on-demand': new LoadingWorld() };
  const backends = new Map<string, EchoBackend>();
  const counters = new Map<string, ByteCounter>();

  beforeAll(async () => {
    for (const name of NAMES) backends.set(name, await startEchoBackend(name, '0.0.0.0'));
    for (const name of TCP_NAMES) counters.set(name, await startByteCounter(name));
    const objects = (tcpPort: number) => [...allObjects(tcpPort), marker('start')];
    for (const loading of ['eager', 'on-demand'] as const) await worlds[loading].start(loading, objects);
    await both((world) => world.reached('start'));
  }, 60_000);

  afterAll(async () => {
    await both((world) => world.stop());
    for (const server of [...backends.values(), ...counters.values()]) server.close();
  });

  const both = (work: (world: LoadingWorld) => Promise<unknown>) => Promise.all(Object.values(worlds).map(work));

  function allObjects(tcpPort: number): MeshObject[] {
    const http = NAMES.map((name) => {
      const target = backends.get(name)?.port ?? 0;
      return objectsOf(name, 'None', { name: 'http', port: 80, targetPort: target });
    });
    const tcp = TCP_NAMES.map((name) => {
      const target = counters.get(name)?.port ?? 0;
      return objectsOf(name, addressOf(Number(name.slice(1))), { name: 'tcp', port: tcpPort, targetPort: target });
    });
    return [...http, ...tcp].flat();
  }

  function objectsOf(
    name: string,
    clusterIP: string,
    port: { readonly name: string; readonly port: number; readonly targetPort: number },
  ): MeshObject[] {
    const pods = ['1', '2'].map((digit) =>
      pod(`${name}-v${digit}`, {
        injected: false,
        address: `127.0.0.${digit}`,
        labels: { app: name, version: `v${digit}` },
      }),
    );
    const subsets = ['v1', 'v2'].map((version) => ({ name: version, labels: { version } }));
    return [
      ...pods.map((object): MeshObject => ({ kind: 'Pod', object })),
      { kind: 'Service', object: service(name, { app: name }, { clusterIP, ports: [port] }) },
      { kind: 'EndpointSlice', object: slice(name, pods, { [port.name]: port.targetPort }) },
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
    const rules = [
      ...fc.sample(randomRules(NAMES), { numRuns: 3, seed }),
      ...fc.sample(randomTcpRules(TCP_NAMES), { numRuns: 2, seed }),
    ];
    const removed = [NAMES, TCP_NAMES].flatMap((names): MeshChange[] => {
      const [unruled, gone] = fc.sample(fc.constantFrom(...names), { numRuns: 2, seed });
      return [
        { kind: 'VirtualService', key: `shop/${unruled}`, object: undefined },
        { kind: 'Service', key: `shop/${gone}`, object: undefined },
      ];
    });
    const back = round % 2 === 1;
    await both(async ({ mesh, tcpPort }) => {
      if (back) mesh.put(...allObjects(tcpPort));
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

  /** How often each answer came. @param lanes so many are asked for at a time */
  async function answersTo(
    world: LoadingWorld,
    one: TrafficRequest | TrafficConnection,
    times: number,
    lanes: number,
  ): Promise<Map<string, number>> {
    const counts = new Map<string, number>();
    let left = times;
    const work = async (): Promise<void> => {
      while (left > 0) {
        left -= 1;
        const answer = await world.ask(one);
        counts.set(answer, (counts.get(answer) ?? 0) + 1);
      }
    };
    await Promise.all(Array.from({ length: lanes }, work));
    return counts;
  }

  /** What is wrong with the answers of both to a request; undefined: nothing. */
  async function difference(one: TrafficRequest | TrafficConnection, seen: Set<string>): Promise<string | undefined> {
    const ask = (times: number, lanes: number) =>
      Promise.all([answersTo(worlds.eager, one, times, lanes), answersTo(worlds['on-demand'], one, times, lanes)]);
    let [eager, onDemand] = await ask(REPEATS, REPEATS);
    for (const answer of eager.keys()) seen.add(statusOf(answer));
    if (eager.size > 1 || onDemand.size > 1) [eager, onDemand] = await ask(SHARED_REPEATS, SHARED_LANES);
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
    expect(await worlds.eager.clusters()).toBe((NAMES.length + TCP_NAMES.length) * 3);
    expect(await worlds['on-demand'].clusters()).toBe(0);
  });

  test(
    'answer alike, whatever the rules, and whatever comes and goes',
    async () => {
      const seen = new Set<string>();
      const differences: string[] = [];
      for (let round = 0; round < ROUNDS; round++) {
        await change(round);
        const sample = (numRuns: number) => ({ numRuns, seed: SEED + round });
        const requests = [
          ...fc.sample(trafficRequests(NAMES), sample(DIFFERENT - CONNECTIONS)),
          ...fc.sample(trafficConnections(TCP_NAMES), sample(CONNECTIONS)),
        ];
        for (const backend of backends.values()) backend.forget();
        for (const one of requests) {
          const found = await difference(one, seen);
          if (found !== undefined) differences.push(`EQUIVALENCE_SEED=${SEED}, round ${round}: ${found}`);
        }
      }
      expect(differences).toEqual([]);
      // It was worth it: requests were forwarded, and some had nowhere to go; so were upgrades and connections.
      expect([...seen].sort()).toEqual(expect.arrayContaining(['101', '200', '503', 'heard']));
    },
    60_000 + ROUNDS * 20_000,
  );
});

/** Of a connection whether it was heard of the server, or closed. */
function statusOf(answer: string): string {
  return /"status":(\d+)/.exec(answer)?.[1] ?? /^heard(?= \w)/.exec(answer)?.[0] ?? answer;
}
