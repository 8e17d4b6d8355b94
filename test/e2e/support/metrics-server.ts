import { afterAll, beforeAll } from '@jest/globals';
import { waitUntil } from '../../../hack/mesh/wait.ts';
import { METRICS_API, metricsServerManifest } from '../../../hack/metrics-server/manifest.ts';
import { testKubectl } from './cluster.ts';

/** Has the cluster tell what pods use while the tests of this file run; one that does so already is left alone. */
export function useMetricsServer(): void {
  const kubectl = testKubectl();
  let isOurs = false;
  beforeAll(async () => {
    isOurs = (await kubectl.try(['get', 'apiservice', METRICS_API])).code !== 0;
    if (isOurs) await kubectl.apply(metricsServerManifest());
    await waitUntil(
      METRICS_API,
      async () => {
        const { code, stdout, stderr } = await kubectl.try(['top', 'pods', '--all-namespaces']);
        return code === 0 && stdout !== '' ? undefined : stderr;
      },
      { timeoutMs: 120_000, everyMs: 1000 },
    );
  }, 150_000);
  afterAll(async () => {
    if (!isOurs) return;
    // First of all: while an API is listed that nobody serves, no namespace can be deleted.
    await kubectl.run(['delete', 'apiservice', METRICS_API]);
    await kubectl.run(['delete', '--wait=false', '--ignore-not-found', '-f', '-'], { input: metricsServerManifest() });
  }, 60_000);
}
