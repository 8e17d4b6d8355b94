import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import type { MeshObject } from '../../operator/mesh/mesh-object.ts';
import { SETTINGS, service, virtualService } from '../../operator/mesh/testing/objects.ts';
import { LISTENER_TYPE, ROUTE_TYPE, VIRTUAL_HOST_TYPE } from '../../operator/xds/resource.ts';
import { type AdsHarness, nodeIdOf, startHarness, type TestPod } from './support/ads-harness.ts';
import { type EnvoyProcess, startEnvoy } from './support/envoy-process.ts';
import { freePort } from './support/free-port.ts';
import { type Answer, call } from './support/http-call.ts';
import { httpListener, identityOf, MeshOnStream, sentResources } from './support/mesh-on-stream.ts';

const HOSTS = 300;
/** What Istio answers for hosts that are not in its registry where it lets only those pass. */
const UNKNOWN = 502;

/** A Service, and routes that answer with a text. */
function host(name: string, text: string, port = 80, address = ''): MeshObject[] {
  const http = [{ directResponse: { status: 200, body: { string: text } } }];
  const ports = [{ name: 'http', port, protocol: 'TCP' }];
  return [
    { kind: 'Service', object: service(name, { app: name }, { clusterIP: address || 'None', ports }) },
    { kind: 'VirtualService', object: virtualService(`shop/${name}`, { hosts: [name], http }) },
  ];
}

describe('virtual hosts reach the real Envoy one by one', () => {
  const mesh = new MeshOnStream({ ...SETTINGS, outboundTrafficPolicy: { mode: 'REGISTRY_ONLY' } }, [
    ROUTE_TYPE,
    VIRTUAL_HOST_TYPE,
  ]);
  const { cache, listeners, sources } = mesh;
  let harness: AdsHarness;
  let pod: TestPod;
  let envoy: EnvoyProcess;
  let at80: number;
  let at8080: number;

  beforeAll(async () => {
    harness = await startHarness(sources);
    pod = harness.addPod('client');
    [at80, at8080] = [await freePort(), await freePort()];
    mesh.put(...Array.from({ length: HOSTS }, (_, number) => host(`h${number}`, `first ${number}`)).flat());
    listeners.update([httpListener(at80, 80)]);
    envoy = await startEnvoy({
      nodeId: nodeIdOf(pod),
      token: pod.token,
      adsPort: harness.port,
      rootPem: harness.rootPem,
    });
  }, 60_000);

  afterAll(async () => {
    await envoy?.stop();
    await harness?.stop();
  });

  function remove(...names: readonly string[]): void {
    mesh.apply(
      names.flatMap((name) =>
        (['Service', 'VirtualService'] as const).map((kind) => ({ kind, key: `shop/${name}`, object: undefined })),
      ),
    );
  }

  const ask = (name: string, port = at80): Promise<Answer> => call({ port, headers: { host: name } });

  /** Asks until the answer is the wanted one, and gives all that came before it. */
  async function until(name: string, wanted: string | number, port = at80): Promise<(string | number)[]> {
    const before: (string | number)[] = [];
    for (const end = performance.now() + 15_000; performance.now() < end; ) {
      const answer = await ask(name, port).catch((error: Error) => ({ status: 0, body: error.message }));
      const seen = typeof wanted === 'number' ? answer.status : answer.body;
      if (seen === wanted) return before;
      before.push(answer.status === 200 ? answer.body : answer.status);
      await new Promise((resolve) => setTimeout(resolve, 5));
    }
    throw new Error(`${name} never gave ${wanted}, but ${before.slice(-3).join(', ')}: ${envoy.log()}`);
  }

  /** Resources of a type that were sent while something ran. */
  async function sentWhile(run: () => Promise<unknown>): Promise<Record<string, number>> {
    const before = await sentResources(harness);
    await run();
    const after = await sentResources(harness);
    const grown = [...after].map(([type, value]) => [type, value - (before.get(type) ?? 0)] as const);
    return Object.fromEntries(grown.filter(([, value]) => value > 0));
  }

  const rejections = () => harness.server.acks.proxy(pod.uid)?.rejections() ?? [];

  test('all before it serves: the first requests to any host find it', async () => {
    // A refused connection is all that a client may see before.
    expect(new Set(await until('h0', 'first 0'))).not.toContain(404);
    const answers = await Promise.all(Array.from({ length: HOSTS }, (_, number) => ask(`h${number}.shop`)));
    expect(answers.map(({ body }) => body)).toEqual(answers.map((_, number) => `first ${number}`));
    expect((await ask('unknown.example')).status).toBe(UNKNOWN);
    expect(rejections()).toEqual([]);
  });

  test('when one changes, it alone', async () => {
    const sent = await sentWhile(async () => {
      mesh.put(...host('h7', 'second'));
      // It may be there before the first request is: then nothing was answered before.
      expect((await until('h7', 'second')).filter((answer) => answer !== 'first 7')).toEqual([]);
    });
    expect(sent).toEqual({ VirtualHost: 1 });
    expect((await ask('h8')).body).toBe('first 8');
  });

  test('when one comes, and when it goes', async () => {
    const sent = await sentWhile(async () => {
      mesh.put(...host('new', 'here'));
      await until('new', 'here');
    });
    expect(sent).toEqual({ VirtualHost: 1 });
    remove('new');
    await until('new', UNKNOWN);
    expect((await ask('h8')).body).toBe('first 8');
  });

  test('with a name that one has from another', async () => {
    const names = ['twin-a', 'twin-b'];
    mesh.put(...names.flatMap((name) => host(name, name, 80, '10.96.9.9')));
    await until('twin-b', 'twin-b');
    // Both claim the address; the first has it.
    expect((await ask('10.96.9.9')).body).toBe('twin-a');
    remove('twin-a');
    const seen = await until('10.96.9.9', 'twin-b');
    // From the one to the other: never nobody's.
    expect(seen.filter((answer) => answer !== 'twin-a')).toEqual([]);
    mesh.put(...host('twin-a', 'twin-a', 80, '10.96.9.9'));
    await until('10.96.9.9', 'twin-a');
    expect((await ask('twin-b')).body).toBe('twin-b');
    expect(rejections()).toEqual([]);
    remove(...names);
    await until('twin-b', UNKNOWN);
  });

  test('and those that a proxy holds are not sent again to it when the control plane restarts', async () => {
    const sent = await sentWhile(() => restart());
    expect(sent).toEqual({});
    const changed = await sentWhile(async () => {
      mesh.put(...host('h9', 'after the restart'));
      await until('h9', 'after the restart');
    });
    expect(changed).toEqual({ VirtualHost: 1 });
  }, 60_000);

  test('and what changes or goes while there is no control plane takes effect after it', async () => {
    const sent = await sentWhile(() =>
      restart(() => {
        mesh.put(...host('h10', 'changed meanwhile'));
        remove('h11');
      }),
    );
    await until('h10', 'changed meanwhile');
    await until('h11', UNKNOWN);
    expect((await ask('h12')).body).toBe('first 12');
    expect(sent.RouteConfiguration).toBeUndefined();
  }, 60_000);

  test('of a port that comes, goes while the control plane restarts, and comes again', async () => {
    mesh.put(...host('late', 'on 8080', 8080));
    listeners.update([httpListener(at8080, 8080)]);
    expect(new Set(await until('late', 'on 8080', at8080))).not.toContain(404);
    listeners.update([], [[LISTENER_TYPE, 'on 8080']]);
    remove('late');
    await until('late', 0, at8080);
    await restart();
    mesh.put(...host('late', 'on 8080', 8080));
    listeners.update([httpListener(at8080, 8080)]);
    expect(new Set(await until('late', 'on 8080', at8080))).not.toContain(404);
    // Of the listener alone, the services stay: Envoy has thrown the hosts away and says that it has them.
    for (const round of [1, 2]) {
      listeners.update([], [[LISTENER_TYPE, 'on 8080']]);
      await until('late', 0, at8080);
      if (round === 2) await restart();
      listeners.update([httpListener(at8080, 8080)]);
      expect(new Set(await until('late', 'on 8080', at8080))).not.toContain(404);
    }
    expect(rejections()).toEqual([]);
  }, 120_000);

  /** Restarts the control plane, and waits until the proxy is back. @param meanwhile what happens while there is none */
  async function restart(meanwhile: () => void = () => {}): Promise<void> {
    await harness.stop();
    meanwhile();
    harness = await startHarness(sources, {}, { atPort: harness.port });
    harness.pods.set(pod.uid, pod);
    const wanted = cache.lookup(identityOf(pod), VIRTUAL_HOST_TYPE, '80/h12.shop.svc.cluster.local')?.version;
    for (const end = performance.now() + 40_000; performance.now() < end; ) {
      if (harness.server.acks.acked(pod.uid, VIRTUAL_HOST_TYPE, '80/h12.shop.svc.cluster.local') === wanted) break;
      await new Promise((resolve) => setTimeout(resolve, 10));
    }
    await new Promise((resolve) => setTimeout(resolve, 300));
  }
});
