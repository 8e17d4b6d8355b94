import { afterAll, afterEach, beforeAll, expect, jest, test } from '@jest/globals';
import type { MeshObject } from '../../operator/mesh/mesh-object.ts';
import { destinationRule, virtualService } from '../../operator/mesh/testing/objects.ts';
import { type ByteCounter, sendBytes, startByteCounter } from './support/byte-counter.ts';
import { type EchoBackend, startEchoBackend } from './support/echo-backend.ts';
import { freePort } from './support/free-port.ts';
import { call } from './support/http-call.ts';
import { releasedService, releaseOf } from './support/released-service.ts';
import { addressOf, backedService, SidecarOnStream } from './support/sidecar-on-stream.ts';

/**
 * Whatever a route comes to lead to, a sidecar with configuration on demand has it when it has the route: the operator may be gone a moment later, and
 * the steps of a release are when that would be noticed.
 */
jest.setTimeout(60_000);

const CALLS = 50;

let backends: readonly [EchoBackend, EchoBackend];
let counters: readonly [ByteCounter, ByteCounter];
let [httpPort, tcpPort] = [0, 0];
let sidecar: SidecarOnStream;

beforeAll(async () => {
  backends = [await startEchoBackend('one'), await startEchoBackend('two')];
  counters = [await startByteCounter('one'), await startByteCounter('two')];
});
afterAll(() => {
  for (const one of [...backends, ...counters]) one.close();
});
afterEach(() => sidecar.stop());

/** Who answers a request for `web`, or its status. */
async function request(): Promise<string> {
  const { status, headers } = await call({
    host: addressOf(1),
    port: httpPort,
    headers: { host: 'web' },
    agent: false,
  });
  return status === 200 ? String(headers['x-from']) : String(status);
}

/** Who greets a connection to `db`; '' when it is closed without a word. */
async function connection(): Promise<string> {
  return (await sendBytes({ address: addressOf(2), port: tcpPort, after: 'heard' })).split(' ')[0] ?? '';
}

interface Case {
  readonly before: () => MeshObject[];
  readonly after: () => MeshObject[];
  readonly ask: () => Promise<string>;
  /** Stands in what the sidecar has of a type once it has the new route. */
  readonly sign: readonly [type: 'dynamic_listeners' | 'dynamic_route_configs', text: string];
  /** So long the operator stays yet: what is to go has gone by then. */
  readonly staysMs?: number;
  /** Who answers some then. */
  readonly reached: 'one' | 'two';
}

const served = (name: string, number: number, index: 0 | 1): MeshObject[] =>
  backedService(name, number, { name: 'http', port: httpPort, backend: backends[index].port });

const subsets = (): MeshObject[] => [
  ...served('web', 1, 0),
  {
    kind: 'DestinationRule',
    object: destinationRule('shop/web', { host: 'web', subsets: [{ name: 'v1' }, { name: 'v2' }] }),
  },
];

const route = (...shares: readonly (readonly [host: string, weight: number, subset?: string])[]): MeshObject => {
  const destinations = shares.map(([host, weight, subset]) => ({ destination: { host, subset }, weight }));
  return {
    kind: 'VirtualService',
    object: virtualService('shop/web', { hosts: ['web'], http: [{ route: destinations }] }),
  };
};

const release = (weight: number, analysis: object = { stepWeights: [50] }, mirrorWeight = 0): MeshObject[] => [
  ...releasedService('web', 1, { name: 'http', port: httpPort, stable: backends[0].port, next: backends[1].port }),
  releaseOf('web', analysis, { weight, ...(mirrorWeight > 0 && { mirrorWeight }) }),
];

const tcpRelease = (weight: number): MeshObject[] => [
  ...releasedService('db', 2, { name: 'tcp', port: tcpPort, stable: counters[0].port, next: counters[1].port }),
  releaseOf('db', { stepWeights: [50] }, { weight }),
];

const CASES: Record<string, Case> = {
  'a share for another Service': {
    before: () => [...served('web', 1, 0), ...served('next', 3, 1), route(['web', 100])],
    after: () => [route(['web', 50], ['next', 50])],
    ask: request,
    sign: ['dynamic_route_configs', '|next.'],
    reached: 'two',
  },
  'a share for a subset': {
    before: () => [...subsets(), route(['web', 100, 'v1'])],
    after: () => [route(['web', 50, 'v1'], ['web', 50, 'v2'])],
    ask: request,
    sign: ['dynamic_route_configs', '|v2|'],
    reached: 'one',
  },
  'another subset': {
    before: () => [...subsets(), route(['web', 100, 'v1'])],
    after: () => [route(['web', 100, 'v2'])],
    ask: request,
    sign: ['dynamic_route_configs', '|v2|'],
    reached: 'one',
  },
  'a first share for what is released': {
    before: () => release(0),
    after: () => release(50),
    ask: request,
    sign: ['dynamic_route_configs', '|r2'],
    reached: 'two',
  },
  'what was released, by copies of requests before': {
    before: () => release(0, { iterations: 5, mirror: true }, 100),
    after: () => release(100, { iterations: 5, mirror: true }),
    ask: request,
    sign: ['dynamic_route_configs', '|r2'],
    staysMs: 2000,
    reached: 'two',
  },
  'a first share for what is released, of connections': {
    before: () => tcpRelease(0),
    after: () => tcpRelease(50),
    ask: connection,
    sign: ['dynamic_listeners', '|r2'],
    reached: 'two',
  },
};

test.each(Object.entries(CASES))(
  'the operator is gone as soon as a sidecar has a route to %s, and nothing is lost',
  async (_, { before, after, ask, sign: [type, text], reached, staysMs = 0 }) => {
    [httpPort, tcpPort] = [await freePort(), await freePort()];
    const port = ask === request ? httpPort : tcpPort;
    sidecar = new SidecarOnStream({ loading: 'on-demand', ports: [port] });
    await sidecar.start(before());
    await sidecar.until(async () => (await ask()) === 'one');
    sidecar.mesh.put(...after());
    await sidecar.until(async () => (await sidecar.envoy.admin(`/config_dump?resource=${type}`)).includes(text));
    await new Promise((resolve) => setTimeout(resolve, staysMs));
    await sidecar.withoutControlPlane(async () => {
      const answers = await Promise.all(Array.from({ length: CALLS }, ask));
      expect(answers.filter((answer) => answer !== 'one' && answer !== 'two')).toEqual([]);
      expect(answers).toContain(reached);
    });
  },
);
