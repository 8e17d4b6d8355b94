import { expect } from '@jest/globals';
import { PROMETHEUS_IMAGE } from '../../../hack/images/catalog.ts';
import { replay } from '../../../operator/canary/judge/replay.ts';
import { METRICS_PORT } from '../../../proxy/ports.ts';
import { type CanaryObject, orders, ordersCanary, release, waitForPhase } from '../support/canary-fixture.ts';
import { clusterSetup, clusterTest, useNamespace } from '../support/namespace.ts';
import { Client } from '../support/testbed-client.ts';
import { client } from '../support/testbed-objects.ts';

const mesh = useNamespace('analysis');
const inside = new Client(mesh, 'deployment/caller');

const RELEASE_SECONDS = 150;

/** Requests of the caller to one revision, as its sidecar tells them. */
const requests = (more = '') =>
  `sum(rate({__name__=~".*istio_requests_total",upstream_cluster=~".*[|]{{ revision }}"${more}}[{{ interval }}]))`;

/** A Prometheus that scrapes the caller's sidecar, and a template that asks it for the share of errors. */
function prometheus(): object[] {
  const target = `caller-stats.${mesh.name}.svc.cluster.local:${METRICS_PORT}`;
  const config = `global: {scrape_interval: 1s}
scrape_configs: [{job_name: caller, metrics_path: /stats/prometheus, static_configs: [{targets: ["${target}"]}]}]
`;
  const service = (name: string, app: string, port: number) => ({
    apiVersion: 'v1',
    kind: 'Service',
    metadata: { name },
    spec: { selector: { app }, ports: [{ name: 'http', port }] },
  });
  const container = {
    name: 'prometheus',
    image: PROMETHEUS_IMAGE,
    imagePullPolicy: 'IfNotPresent',
    args: ['--config.file=/config/prometheus.yml', '--storage.tsdb.path=/data'],
    readinessProbe: { httpGet: { path: '/-/ready', port: 9090 }, periodSeconds: 1 },
    resources: { requests: { cpu: '10m', memory: '64Mi' } },
    volumeMounts: [
      { name: 'config', mountPath: '/config' },
      { name: 'data', mountPath: '/data' },
    ],
  };
  const labels = { app: 'prometheus', 'sidecar.istio.io/inject': 'false' };
  const volumes = [
    { name: 'config', configMap: { name: 'prometheus' } },
    { name: 'data', emptyDir: {} },
  ];
  return [
    service('caller-stats', 'caller', METRICS_PORT),
    service('prometheus', 'prometheus', 9090),
    { apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: 'prometheus' }, data: { 'prometheus.yml': config } },
    {
      apiVersion: 'apps/v1',
      kind: 'Deployment',
      metadata: { name: 'prometheus' },
      spec: {
        selector: { matchLabels: { app: 'prometheus' } },
        template: { metadata: { labels }, spec: { containers: [container], volumes } },
      },
    },
    {
      apiVersion: 'heddle.dev/v1alpha1',
      kind: 'MetricTemplate',
      metadata: { name: 'errors' },
      spec: {
        provider: { type: 'prometheus', address: `http://prometheus.${mesh.name}.svc.cluster.local:9090` },
        query: `100 * (${requests(',response_code=~"5.."')} or vector(0)) / ${requests()}`,
      },
    },
  ];
}

/** Releases a revision under load, judged by these metrics. @returns the Canary once it is over */
async function releaseUnder(metrics: object[], ...environment: readonly string[]): Promise<CanaryObject> {
  await mesh.apply(ordersCanary({ stepWeights: [50], threshold: 1, metrics }));
  const [, canary] = await inside.loadDuring('http://orders/', { rate: 40, bodyBytes: 64 }, async () => {
    await release(mesh, ...environment);
    const from = await waitForPhase(mesh, ['Progressing', 'Waiting'], 60);
    expect(from.status?.canaryRevision).toBeDefined();
    return waitForPhase(mesh, ['Failed', 'Succeeded'], RELEASE_SECONDS);
  });
  return canary;
}

/** What the last check came to, as status tells it; judged once more it must come to the same. */
function lastRound({ status }: CanaryObject) {
  const { rounds = [] } = status ?? {};
  expect(replay(rounds).every(({ same }) => same)).toBe(true);
  return rounds[0];
}

clusterSetup(
  [mesh],
  async () => {
    await mesh.apply(...orders(2), ...client('caller'), ...prometheus());
    await Promise.all(['orders', 'caller', 'prometheus'].map((name) => mesh.rolledOut(name)));
    await mesh.apply(ordersCanary());
    await waitForPhase(mesh, ['Initialized'], 60);
  },
  150_000,
);

clusterTest('a revision that fails more than the stable one is caught, whatever its rate', [mesh], async () => {
  const metrics = [{ name: 'request-success-rate', comparedToStable: { maxDecrease: 1 } }];
  const canary = await releaseUnder(metrics, 'VERSION=v2', 'ERROR_RATE=0.3');
  expect(canary.status).toMatchObject({ phase: 'Failed', weight: 0 });
  const round = lastRound(canary);
  expect(round).toMatchObject({ verdict: 'Failed', message: expect.stringContaining('points below the 100 %') });
  expect(round?.metrics?.[0]).toMatchObject({ name: 'request-success-rate', stableValue: 100, verdict: 'Failed' });
});

clusterTest('one that is slower at a percentile is caught', [mesh], async () => {
  const compared = { percentile: 75, comparedToStable: { maxIncrease: 400 } };
  const metrics = [{ name: 'request-duration', ...compared }];
  const canary = await releaseUnder(metrics, 'VERSION=v3', 'ERROR_RATE-', 'DELAY_MS=4000');
  expect(canary.status).toMatchObject({ phase: 'Failed', weight: 0 });
  expect(lastRound(canary)).toMatchObject({ verdict: 'Failed', message: expect.stringContaining('% above the') });
});

clusterTest('one that Prometheus finds fault with is caught, and a good one passes', [mesh], async () => {
  const template = { name: 'errors', templateRef: { name: 'errors' } };
  const metrics = [{ ...template, thresholdRange: { max: 5 }, comparedToStable: { maxIncrease: 100 } }];
  const bad = await releaseUnder(metrics, 'VERSION=v4', 'DELAY_MS-', 'ERROR_RATE=0.3');
  expect(bad.status).toMatchObject({ phase: 'Failed', weight: 0 });
  const revision = bad.status?.canaryRevision ?? '';
  const [result] = lastRound(bad)?.metrics ?? [];
  expect(result).toMatchObject({ name: 'errors', verdict: 'Failed', stableValue: 0 });
  expect(result?.query).toContain(`upstream_cluster=~".*[|]${revision}"`);
  const good = await releaseUnder([{ ...template, thresholdRange: { max: 5 } }], 'VERSION=v5', 'ERROR_RATE-');
  expect(good.status).toMatchObject({ phase: 'Succeeded' });
  expect(lastRound(good)?.metrics?.[0]).toMatchObject({ name: 'errors', verdict: 'Passed' });
});
