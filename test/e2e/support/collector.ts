import { OTEL_COLLECTOR_IMAGE } from '../../../hack/images/catalog.ts';
import { waitFor } from '../../../hack/mesh/wait.ts';
import { type CollectedSpan, spansIn } from '../../feature/support/collected.ts';
import type { TestNamespace } from './namespace.ts';

const NAME = 'collector';
export const OTLP_PORT = 4317;

/** What it is to do: take OTLP, and write it to its output, where kubelet keeps it. */
const CONFIG = {
  receivers: { otlp: { protocols: { grpc: { endpoint: `0.0.0.0:${OTLP_PORT}` } } } },
  exporters: { file: { path: '/dev/stdout', append: true, flush_interval: '100ms' } },
  service: {
    telemetry: { metrics: { level: 'none' }, logs: { level: 'error' } },
    pipelines: { traces: { receivers: ['otlp'], exporters: ['file'] } },
  },
};

/** Service and Deployment of a real OpenTelemetry collector without a sidecar. */
export function collector(): object[] {
  const labels = { app: NAME, 'sidecar.istio.io/inject': 'false' };
  const container = {
    name: NAME,
    image: OTEL_COLLECTOR_IMAGE,
    imagePullPolicy: 'IfNotPresent',
    args: ['--config', '/config/config.yaml'],
    readinessProbe: { tcpSocket: { port: OTLP_PORT }, periodSeconds: 1 },
    resources: { requests: { cpu: '10m', memory: '64Mi' } },
    volumeMounts: [{ name: 'config', mountPath: '/config' }],
  };
  return [
    // YAML, which JSON is.
    {
      apiVersion: 'v1',
      kind: 'ConfigMap',
      metadata: { name: NAME },
      data: { 'config.yaml': JSON.stringify(CONFIG) },
    },
    {
      apiVersion: 'v1',
      kind: 'Service',
      metadata: { name: NAME },
      spec: { selector: { app: NAME }, ports: [{ name: 'grpc', port: OTLP_PORT }] },
    },
    {
      apiVersion: 'apps/v1',
      kind: 'Deployment',
      metadata: { name: NAME },
      spec: {
        selector: { matchLabels: { app: NAME } },
        template: {
          metadata: { labels },
          spec: { containers: [container], volumes: [{ name: 'config', configMap: { name: NAME } }] },
        },
      },
    },
  ];
}

const collected = async (space: TestNamespace): Promise<CollectedSpan[]> =>
  spansIn(await space.run('logs', `deployment/${NAME}`));

const ofPath = (spans: readonly CollectedSpan[], path: string): CollectedSpan[] =>
  spans.filter(({ attributes }) => attributes['http.url']?.endsWith(path));

/** Spans that the collector has of a path so far. */
export async function spansOf(space: TestNamespace, path: string): Promise<readonly CollectedSpan[]> {
  return ofPath(await collected(space), path);
}

/**
 * Waits until the collector has so many spans of each of some paths, and gives them by path, the first of the trace first.
 * @throws {Error} with how many there are of each, when they do not come
 */
export async function tracesOf(
  space: TestNamespace,
  paths: readonly string[],
  spans: number,
): Promise<ReadonlyMap<string, readonly CollectedSpan[]>> {
  return waitFor(
    `${spans} spans of each of ${paths.length} requests`,
    async () => {
      const all = await collected(space);
      const found = new Map(paths.map((path) => [path, ofPath(all, path)]));
      const counts = [...found.values()].map(({ length }) => length);
      if (counts.some((count) => count !== spans)) throw new Error(counts.join(', '));
      return new Map([...found].map(([path, own]) => [path, inOrder(own)]));
    },
    { everyMs: 500 },
  );
}

/** A span after the one that it belongs to. */
function inOrder(spans: readonly CollectedSpan[]): CollectedSpan[] {
  const ordered: CollectedSpan[] = [];
  for (let parent = ''; ordered.length < spans.length; ) {
    const next = spans.find(({ parentSpanId }) => parentSpanId === parent);
    if (next === undefined) throw new Error(`no chain of calls: ${JSON.stringify(spans, undefined, 1)}`);
    ordered.push(next);
    parent = next.spanId;
  }
  return ordered;
}
