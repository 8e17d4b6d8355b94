import { describe, expect } from '@jest/globals';
import { credibleRange } from '../../feature/support/binomial.ts';
import { programmed } from '../support/conditions.ts';
import { clusterSetup, clusterTest, useNamespace } from '../support/namespace.ts';
import { destinationRule, virtualService } from '../support/networking-object.ts';
import { ProxyAdmin } from '../support/proxy-admin.ts';
import { Client, type ManyReport, type RequestSpec } from '../support/testbed-client.ts';
import { client, GREETING_PORT, TCP_PORT, TLS_PORT, versionedServer } from '../support/testbed-objects.ts';

const mesh = useNamespace('protocols');
const caller = new Client(mesh, 'deployment/caller');
const admin = new ProxyAdmin(mesh, 'deployment/caller');

const HOST = `reviews.${mesh.name}.svc.cluster.local`;
/** Percent of the traffic that the rules send to v1. */
const SHARE = 75;
const COUNT = 240;

const service = {
  ports: [
    { name: 'http', port: 80, targetPort: 'http' },
    { name: 'grpc', port: 81, targetPort: 'grpc' },
    { name: 'http2', port: 82, targetPort: 'grpc' },
    { name: 'tcp', port: 90, targetPort: TCP_PORT },
    { name: 'greeting', port: 91, targetPort: GREETING_PORT, appProtocol: 'tcp' },
    { name: 'https', port: 443, targetPort: TLS_PORT },
  ],
};

/** One kind of traffic each. Those whose answers do not say who answered are counted at the caller's sidecar. */
const protocols: readonly (RequestSpec & { readonly name: string; readonly port: number })[] = [
  { name: 'HTTP/1.1', port: 80, url: 'http://reviews/' },
  { name: 'h2c', port: 82, url: 'http://reviews:82/', protocol: 'http2' },
  { name: 'gRPC unary', port: 81, url: 'http://reviews:81/', protocol: 'grpc' },
  { name: 'gRPC streaming', port: 81, url: 'http://reviews:81/testbed.Echo/Stream', protocol: 'grpc' },
  { name: 'WebSocket', port: 80, url: 'ws://reviews/', protocol: 'websocket' },
  { name: 'TCP, client first', port: 90, url: 'tcp://reviews:90' },
  { name: 'TCP, server first', port: 91, url: 'tcp://reviews:91', serverFirst: true },
  { name: 'TLS passthrough', port: 443, url: 'https://reviews/', sni: HOST },
];
const isHttp = ({ port }: { readonly port: number }): boolean => port < 90;

const subsets = destinationRule('reviews', {
  host: 'reviews',
  exportTo: ['.'],
  subsets: ['v1', 'v2'].map((version) => ({ name: version, labels: { version } })),
});

const shares = [
  { destination: { host: 'reviews', subset: 'v1' }, weight: SHARE },
  { destination: { host: 'reviews', subset: 'v2' }, weight: 100 - SHARE },
];

const weighted = virtualService('reviews', {
  hosts: [HOST],
  exportTo: ['.'],
  http: [{ retries: { attempts: 3, retryOn: '5xx,unavailable,reset', backoff: '5ms' }, route: shares }],
  tcp: [{ route: shares }],
  tls: [{ match: [{ port: 443, sniHosts: [HOST] }], route: shares }],
});

clusterSetup(
  [mesh],
  async () => {
    await mesh.apply(
      ...versionedServer('reviews', { v1: {}, v2: {} }, { service, env: { TLS_NAMES: HOST } }),
      ...client('caller'),
      subsets,
      weighted,
    );
    await Promise.all(['reviews-v1', 'reviews-v2', 'caller'].map((name) => mesh.rolledOut(name)));
    await programmed(mesh, 'destinationrule', 'reviews');
    await programmed(mesh, 'virtualservice', 'reviews');
  },
  240_000,
);

/** Requests that the caller's sidecar has sent to v1 so far, by port. */
async function sentToV1(): Promise<ReadonlyMap<number, number>> {
  const counts = new Map<number, number>();
  for (const [cluster, hosts] of await admin.endpoints('outbound|')) {
    const [, port, subset, host] = cluster.split('|');
    if (subset !== 'v1' || host !== HOST) continue;
    counts.set(
      Number(port),
      hosts.reduce((sum, { stats }) => sum + (stats.rq_total ?? 0), 0),
    );
  }
  return counts;
}

/** Answers, of whatever protocol; that of a WebSocket's handshake is 101. */
const answered = ({ ok, statuses }: ManyReport): number => ok + (statuses[101] ?? 0);

async function runAll(count: number, concurrency: number): Promise<readonly ManyReport[]> {
  return await caller.plan(protocols.map((spec) => ({ ...spec, count, concurrency })));
}

describe('every protocol', () => {
  clusterTest('is shared out by weight', [mesh], async () => {
    const { least, most } = credibleRange(COUNT, SHARE / 100);
    const before = await sentToV1();
    const reports = await runAll(COUNT, 8);
    const after = await sentToV1();
    for (const [index, report] of reports.entries()) {
      const { name, errors, versions } = report;
      expect({ name, answered: answered(report), errors }).toEqual({ name, answered: COUNT, errors: {} });
      const port = protocols[index]?.port ?? 0;
      // What is left when those that say who answered are taken off the port's count.
      const said = reports
        .filter((_, i) => protocols[i]?.port === port)
        .reduce((sum, one) => sum + (one.versions.v1 ?? 0), 0);
      const v1 = versions.v1 ?? (after.get(port) ?? 0) - (before.get(port) ?? 0) - said;
      if (v1 < least || v1 > most) throw new Error(`${name}: ${v1} of ${COUNT} to v1, not ${least} to ${most}`);
    }
  });

  clusterTest('of requests is tried again when a server fails', [mesh], async () => {
    const again = (name: string): Pick<RequestSpec, 'headers'> => ({
      headers: { 'x-key': `again-${name}`, 'x-fail': '2' },
    });
    const reports = await caller.plan([
      { url: 'http://reviews/', ...again('http') },
      { url: 'http://reviews:82/', protocol: 'http2', ...again('h2c') },
      { url: 'http://reviews:81/', protocol: 'grpc', ...again('grpc') },
    ]);
    for (const { ok, answers } of reports) {
      expect(ok).toBe(1);
      expect(answers[0]?.echo?.attempt).toBe(3);
    }
  });

  clusterTest('goes on while the pods of one version end', [mesh], async () => {
    await mesh.run('delete', 'virtualservice', 'reviews');
    const load = caller.plan(
      protocols.map((spec) => ({ ...spec, count: 150, gapMs: 100 })),
      { concurrent: true },
    );
    await mesh.run('scale', 'deployment/reviews-v2', '--replicas=0');
    for (const report of await load) {
      const { name, errors, statuses } = report;
      expect({ name, answered: answered(report), errors, statuses }).toEqual({
        name,
        answered: 150,
        errors: {},
        statuses: expect.anything(),
      });
    }
    for (const report of await runAll(20, 4)) {
      expect({ name: report.name, answered: answered(report) }).toEqual({ name: report.name, answered: 20 });
      if (Object.keys(report.versions).length > 0) expect(report.versions).toEqual({ v1: 20 });
    }
  });

  clusterTest('loses the share of a version that has no pods, and nothing else', [mesh], async () => {
    await mesh.apply(weighted);
    await programmed(mesh, 'virtualservice', 'reviews');
    const { least, most } = credibleRange(COUNT, SHARE / 100);
    const reports = await runAll(COUNT, 8);
    for (const [index, report] of reports.entries()) {
      const name = report.name;
      const got = answered(report);
      if (got < least || got > most) throw new Error(`${name}: ${got} of ${COUNT} answered, not ${least} to ${most}`);
      const spec = protocols[index];
      if (spec === undefined || !isHttp(spec) || spec.protocol === 'websocket') continue;
      // Of gRPC 14 is UNAVAILABLE.
      const failure = spec.protocol === 'grpc' ? 14 : 503;
      expect({ name, failed: report.statuses[failure], errors: report.errors }).toEqual({
        name,
        failed: COUNT - got,
        errors: {},
      });
    }
  });
});
