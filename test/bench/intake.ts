import { once } from 'node:events';
import { silentLogger } from '../../kube/logger.ts';
import { SETTINGS, service, virtualService } from '../../operator/mesh/testing/objects.ts';
import { Pipeline } from '../../operator/wiring/pipeline.ts';
import { newMeshStores } from '../../operator/wiring/testing/mesh-stores.ts';
import { XdsCache } from '../../operator/xds/xds-cache.ts';
import { round } from './figures.ts';
import type { BenchResult } from './result.ts';
import { TurnWatch } from './turn-watch.ts';

const OBJECTS = 30_000;

/** Very many VirtualServices come at once, each for a host of its own, and all for the same host. */
export async function run(): Promise<BenchResult[]> {
  return [
    ...(await measure('a host each', (index) => `app-${index}.example.com`)),
    ...(await measure('one host', () => 'app.example.com')),
  ];
}

async function measure(hosts: string, hostOf: (index: number) => string): Promise<BenchResult[]> {
  const stores = newMeshStores();
  const { namespaces, services, virtualServices } = stores;
  services.set(service('orders', { app: 'orders' }));
  namespaces.set({ metadata: { name: 'shop', labels: { 'heddle.dev/injection': 'enabled' } } });
  const failed = new AbortController();
  const pipeline = new Pipeline(SETTINGS, new XdsCache(), silentLogger, (error) => failed.abort(error));
  pipeline.start(stores);
  const objects = Array.from({ length: OBJECTS }, (_, index) =>
    virtualService(`shop/app-${index}`, {
      hosts: [hostOf(index)],
      http: [
        { match: [{ uri: { prefix: `/${index}` } }], timeout: '5s', route: [{ destination: { host: 'orders' } }] },
      ],
    }),
  );
  let updates = 0;
  const done = once(failed.signal, 'abort');
  const whole = new Promise<void>((resolve) => {
    pipeline.onUpdate(({ routeRules }) => {
      updates++;
      if (routeRules.size === OBJECTS) resolve();
    });
  });
  const turns = new TurnWatch();
  const before = process.cpuUsage();
  virtualServices.replace(objects);
  await Promise.race([whole, done.then(() => Promise.reject(failed.signal.reason))]);
  const { user, system } = process.cpuUsage(before);
  // The watch sees a turn when the next one begins.
  await new Promise((resolve) => setTimeout(resolve, 5));
  const bench = `${OBJECTS} VirtualServices at once, ${hosts}`;
  return [
    { bench, figure: 'CPU', value: round((user + system) / 1e6), unit: 's' },
    { bench, figure: 'longest turn of the event loop (CPU)', value: round(turns.take()), unit: 'ms' },
    { bench, figure: 'updates of resources', value: updates, unit: '' },
  ];
}
