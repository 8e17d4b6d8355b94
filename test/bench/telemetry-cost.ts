import { connect } from 'node:net';
import { type JsonValue, toJson } from '@bufbuild/protobuf';
import { AccessLogSchema } from '../../generated/envoy/envoy/config/accesslog/v3/accesslog_pb.js';
import { buildStatsLoggers, inboundTags } from '../../operator/xds/stats-logger.ts';
import { envoyRegistry } from '../../operator/xds/testing/envoy-registry.ts';
import { extension, socketAddress } from '../../proxy/envoy-types.ts';
import { buildStatsConfig } from '../../proxy/stats.ts';
import { type EnvoyProcess, runEnvoy } from '../feature/support/envoy-process.ts';
import { freePort } from '../feature/support/free-port.ts';
import { quantile, round } from './figures.ts';
import { cpuSeconds } from './process-cost.ts';
import type { BenchResult } from './result.ts';

const REQUESTS = 5000;
const ROUNDS = 7;
const HEADERS = 'host: shop\r\nuser-agent: bench\r\n';

/**
 * What counting costs a sidecar on each request: two real Envoys that answer themselves, and differ in nothing but the logger of the mesh's metrics, are
 * asked by turns over one connection each. Without TLS, so that the tags of the peer are empty.
 */
export async function run(): Promise<BenchResult[]> {
  const registry = envoyRegistry();
  const loggers = buildStatsLoggers(inboundTags({ service: 'ordering.shop.svc.cluster.local', mutualTls: true }));
  const envoys = [await start([]), await start(loggers.map((logger) => toJson(AccessLogSchema, logger, { registry })))];
  try {
    const spent: number[][] = [[], []];
    for (let nth = -1; nth < ROUNDS; nth++) {
      for (const [index, { envoy, port }] of envoys.entries()) {
        const before = await cpuSeconds(envoy.pid);
        await ask(port);
        const cost = ((await cpuSeconds(envoy.pid)) - before) / REQUESTS;
        // The first round warms up.
        if (nth >= 0) spent[index]?.push(cost * 1e6);
      }
    }
    const [without, counting] = spent.map((costs) => quantile(costs, 0.5));
    const bench = `${REQUESTS} requests, ${ROUNDS} times`;
    return [
      { bench, figure: 'CPU of a request, uncounted', value: round(without ?? 0), unit: 'µs' },
      { bench, figure: 'CPU of counting it', value: round((counting ?? 0) - (without ?? 0)), unit: 'µs' },
      // A µs a request is a ms of CPU in each second.
      {
        bench,
        figure: 'CPU of counting 1,000 requests a second',
        value: round(((counting ?? 0) - (without ?? 0)) / 10),
        unit: '% of a core',
      },
    ];
  } finally {
    for (const { envoy } of envoys) await envoy.stop();
  }
}

async function start(logs: readonly JsonValue[]): Promise<{ envoy: EnvoyProcess; port: number }> {
  const [port, adminPort] = [await freePort(), await freePort()];
  const { stats_config } = buildStatsConfig();
  const manager = extension('http', 'filters.network.http_connection_manager.v3.HttpConnectionManager', {
    stat_prefix: 'inbound_8080',
    http_filters: [extension('router', 'filters.http.router.v3.Router')],
    route_config: {
      virtual_hosts: [
        { name: 'all', domains: ['*'], routes: [{ match: { prefix: '/' }, direct_response: { status: 200 } }] },
      ],
    },
    access_log: logs,
  });
  const config = {
    admin: { address: socketAddress('127.0.0.1', adminPort) },
    stats_config,
    static_resources: {
      listeners: [{ name: 'in', address: socketAddress('127.0.0.1', port), filter_chains: [{ filters: [manager] }] }],
    },
  };
  return { envoy: await runEnvoy(config, adminPort), port };
}

/** All requests by one connection, each when the one before is answered. */
async function ask(port: number): Promise<void> {
  const socket = connect(port, '127.0.0.1').setNoDelay(true);
  let answered = 0;
  const send = (): boolean => socket.write(`GET /${answered} HTTP/1.1\r\n${HEADERS}\r\n`);
  send();
  for await (const data of socket.iterator({ destroyOnReturn: true })) {
    answered += String(data).split('HTTP/1.1 200').length - 1;
    if (answered === REQUESTS) return;
    send();
  }
  throw new Error(`${answered} of ${REQUESTS} requests were answered`);
}
