import { once } from 'node:events';
import { connect as connectTls } from 'node:tls';
import { afterAll, beforeAll, describe, expect, jest, test } from '@jest/globals';
import type { MeshObject } from '../../operator/mesh/mesh-object.ts';
import { serviceEntry, virtualService } from '../../operator/mesh/testing/objects.ts';
import { CLUSTER_WAIT_MS } from '../../operator/xds/http-filters.ts';
import { type ByteCounter, type ByteSpeech, type Leave, sendBytes, startByteCounter } from './support/byte-counter.ts';
import { type EchoBackend, startEchoBackend } from './support/echo-backend.ts';
import { freePort } from './support/free-port.ts';
import { call } from './support/http-call.ts';
import { type NamedServer, startNamedServer } from './support/outbound-envoy.ts';
import { makeServerCertificate } from './support/server-certificate.ts';
import { addressOf, backedService, SidecarOnStream } from './support/sidecar-on-stream.ts';

/** How long a cluster takes to come, in ms: long enough that things happen meanwhile. */
const DELAY_MS = 40;
/** More than any buffer on the way holds. */
const LARGE = 3_000_000;
const SERVICES = 220;
/** Those that hundreds of clients let go of. */
const LET_GO = Array.from({ length: 100 }, (_, index) => index + 100);

/** The machine may be busy. */
jest.setTimeout(60_000);

describe('connections of a sidecar with clusters on demand', () => {
  const counters: ByteCounter[] = [];
  let tls: NamedServer;
  let http: EchoBackend;
  let sidecar: SidecarOnStream;
  let [tcpPort, tlsPort, autoPort] = [0, 0, 0];

  beforeAll(async () => {
    counters.push(await startByteCounter('one'), await startByteCounter('two'));
    tls = await startNamedServer('tls', await makeServerCertificate());
    http = await startEchoBackend('http');
    [tcpPort, tlsPort, autoPort] = [await freePort(), await freePort(), await freePort()];
    sidecar = new SidecarOnStream({
      loading: 'on-demand',
      ports: [tcpPort, tlsPort, autoPort],
      delayMs: () => DELAY_MS,
    });
    await sidecar.start([
      ...Array.from({ length: SERVICES }, (_, number) => counted(number, number % 2)).flat(),
      ...backedService('any-http', 1000, { name: 'any', port: autoPort, backend: http.port }),
      ...backedService('any-tcp', 1001, { name: 'any', port: autoPort, backend: counters[0]?.port ?? 0 }),
      ...['a', 'b'].map(named),
    ]);
  });

  afterAll(async () => {
    await sidecar?.stop();
    for (const server of [...counters, tls, http]) server?.close();
  });

  /** `s1` and so on, with one of the counters behind it. */
  function counted(number: number, counter: number): MeshObject[] {
    const backend = counters[counter]?.port ?? 0;
    return backedService(`s${number}`, number, { name: 'tcp-db', port: tcpPort, backend });
  }

  /** A host that is found by the name in a TLS handshake. */
  function named(name: string): MeshObject {
    return {
      kind: 'ServiceEntry',
      object: serviceEntry(`shop/${name}`, {
        hosts: [`${name}.example.com`],
        location: 'MESH_EXTERNAL',
        resolution: 'STATIC',
        endpoints: [{ address: '127.0.0.1', ports: { tls: tls.port } }],
        ports: [{ number: tlsPort, name: 'tls', protocol: 'TLS' }],
      }),
    };
  }

  function tcpRoute(number: number, hosts: readonly string[]): MeshObject {
    const route = hosts.map((host) => ({ destination: { host }, weight: 100 / hosts.length }));
    const spec = { hosts: [`s${number}`], tcp: [{ route }] };
    return { kind: 'VirtualService', object: virtualService(`shop/r${number}`, spec) };
  }

  const send = (number: number, speech: Partial<ByteSpeech> = {}) =>
    sendBytes({ address: addressOf(number), port: tcpPort, ...speech });
  const nameOf = (service: string, port = tcpPort) => `outbound|${port}||${service}.shop.svc.cluster.local`;

  test('wait for their cluster, of which there is none at the start', async () => {
    expect(await sidecar.held()).toEqual([]);
    // The server speaks first, and the client listens.
    expect(await send(2, { after: 'heard' })).toBe('one 0');
    expect(await sidecar.held()).toEqual([nameOf('s2')]);
  });

  test('lose nothing that was sent before, and are answered though the client has ended its side', async () => {
    const answers = await Promise.all([
      send(3, { bytes: 5 }),
      send(4, { bytes: LARGE }),
      send(5, { bytes: LARGE, after: DELAY_MS / 2 }),
      ...Array.from({ length: 20 }, () => send(6, { bytes: 7 })),
    ]);
    expect(answers).toEqual(['two 5', `one ${LARGE}`, `two ${LARGE}`, ...Array.from({ length: 20 }, () => 'one 7')]);
  });

  test('wait for the one that they fall on, of several by weight', async () => {
    sidecar.mesh.put(tcpRoute(10, ['s11', 's12']));
    // Until the route is there they go to the Service itself.
    await sidecar.until(async () => {
      expect(await send(10, { bytes: 1 })).toMatch(/^(one|two) 1$/);
      return (await sidecar.held()).some((name) => [nameOf('s11'), nameOf('s12')].includes(name));
    });
    const answers = await Promise.all(Array.from({ length: 60 }, () => send(10, { bytes: 1 })));
    expect([...new Set(answers)].sort()).toEqual(['one 1', 'two 1']);
    expect(await sidecar.held()).toEqual(expect.arrayContaining([nameOf('s11'), nameOf('s12')]));
  });

  test('of TLS are told by their server name, and wait', async () => {
    const hear = async (servername: string) => {
      const socket = connectTls({ host: addressOf(2000), port: tlsPort, servername, rejectUnauthorized: false });
      const [data] = (await once(socket, 'data')) as [Buffer];
      socket.destroy();
      return data.toString();
    };
    const heard = await Promise.all(['a', 'b', 'a'].map((name) => hear(`${name}.example.com`)));
    for (const text of heard) expect(text).toContain('tls');
    expect(await sidecar.held()).toEqual(expect.arrayContaining([`outbound|${tlsPort}||a.example.com`]));
  });

  test('of no declared protocol wait whatever they turn out to be, also at the same moment', async () => {
    const ask = () =>
      call({ host: addressOf(1000), port: autoPort, path: '/', headers: { host: `any-http.shop:${autoPort}` } });
    // Envoy drops a connection whose client ends its side before its first bytes were looked at, on demand or not.
    const [answer, again, bytes] = await Promise.all([
      ask(),
      ask(),
      sendBytes({ address: addressOf(1001), port: autoPort, bytes: 8, after: 'heard' }),
    ]);
    expect([answer.status, again.status, bytes]).toEqual([200, 200, 'one 8']);
    expect(await sidecar.held()).toEqual(
      expect.arrayContaining([nameOf('any-http', autoPort), nameOf('any-tcp', autoPort)]),
    );
  });

  test('are closed at once where a route leads to nowhere, the second time too', async () => {
    sidecar.mesh.put(tcpRoute(20, ['ghost']));
    await sidecar.until(async () => (await send(20)) === '');
    const start = performance.now();
    expect(await Promise.all([send(20), send(20)])).toEqual(['', '']);
    // Had they waited for a cluster, they would have for so long.
    expect(performance.now() - start).toBeLessThan(CLUSTER_WAIT_MS);
  });

  test('survive clients that let go while their cluster is fetched: who still listens is answered', async () => {
    const leaves: readonly Leave[] = ['reset', 'destroy', 'end'];
    const unanswered: string[] = [];
    await Promise.all(
      LET_GO.flatMap((number) =>
        leaves.flatMap((leave) =>
          [200, LARGE / 10].map(async (bytes) => {
            const heard = await send(number, { bytes, leave, after: Math.random() * 2 * DELAY_MS });
            const right = `${number % 2 === 0 ? 'one' : 'two'} ${bytes}`;
            if (leave === 'end' && heard !== right) unanswered.push(`${number}: ${heard}`);
          }),
        ),
      ),
    );
    expect(unanswered).toEqual([]);
    const answers = await Promise.all(LET_GO.map((number) => send(number, { bytes: 9 })));
    expect(new Set(answers)).toEqual(new Set(['one 9', 'two 9']));
    await sidecar.until(async () => (await sidecar.connections()) === 0);
  });

  test('are carried though their route changes, or closed though their Service goes, while they wait', async () => {
    const [rerouted, orphaned] = [send(50, { bytes: 5 }), send(52, { bytes: 5 })];
    await new Promise((resolve) => setTimeout(resolve, DELAY_MS / 4));
    sidecar.mesh.put(tcpRoute(50, ['s51']));
    sidecar.mesh.apply([{ kind: 'Service', key: 'shop/s52', object: undefined }]);
    expect(await rerouted).toMatch(/^(one|two) 5$/);
    expect(['one 5', '']).toContain(await orphaned);
    await sidecar.until(async () => (await send(50, { bytes: 5 })) === 'two 5');
  });

  test('find a Service that went and came again, and again', async () => {
    for (let times = 0; times < 2; times++) {
      sidecar.mesh.put(...counted(30, 1));
      await sidecar.until(async () => (await send(30, { bytes: 3 })) === 'two 3');
      sidecar.mesh.apply(
        (['Service', 'EndpointSlice'] as const).map((kind) => ({
          kind,
          key: kind === 'Service' ? 'shop/s30' : 'shop/s30-1',
          object: undefined,
        })),
      );
      await sidecar.until(async () => !(await sidecar.held()).includes(nameOf('s30')));
    }
  });

  test('that wait while the control plane is gone are served by the next one, or closed; others go on', async () => {
    const lasting = send(2, { bytes: 1, after: 2000 });
    let waiting: Promise<string> | undefined;
    await sidecar.withoutControlPlane(async () => {
      waiting = send(40, { bytes: 6 });
      expect(await send(2, { bytes: 2 })).toBe('one 2');
    });
    expect(['one 6', '']).toContain(await waiting);
    await sidecar.until(async () => (await send(41, { bytes: 6 })) === 'two 6');
    expect(await lasting).toBe('one 1');
  });
});
