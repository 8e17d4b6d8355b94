import type { RequestOptions } from 'node:http';
import type { HttpRule } from '../../../operator/mesh/route-rule.ts';
import type { ResolvedBackend } from '../../../operator/xds/http-route-context.ts';
import { buildHttpRoutes } from '../../../operator/xds/http-routes.ts';
import { CONTEXT } from '../../../operator/xds/testing/http-rule-fixture.ts';
import { routesBootstrap } from '../../../operator/xds/testing/routes-bootstrap.ts';
import type { EchoBackend } from './echo-backend.ts';
import { type EnvoyProcess, runEnvoy } from './envoy-process.ts';
import { freePort } from './free-port.ts';
import { type Answer, call, callMany } from './http-call.ts';

/** The real Envoy with the routes of some rules, on loopback. */
export interface RoutedEnvoy {
  readonly port: number;
  readonly process: EnvoyProcess;
  call(path: string, options?: RequestOptions): Promise<Answer>;
  callMany(count: number, path: string, options?: RequestOptions): Promise<Answer[]>;
  /** A counter of Envoy; 0 when it has not counted yet. */
  counter(name: string): Promise<number>;
}

/**
 * Starts an Envoy and waits until it takes requests.
 *
 * @param clusters the backends of each; a rule's hosts are names of clusters
 * @param resolve what hosts come to that are more than a cluster
 */
export async function startRoutedEnvoy(
  rules: readonly HttpRule[],
  clusters: Readonly<Record<string, readonly EchoBackend[]>>,
  resolve: Readonly<Record<string, ResolvedBackend>> = {},
): Promise<RoutedEnvoy> {
  const port = await freePort();
  const adminPort = await freePort();
  const routes = buildHttpRoutes(rules, {
    ...CONTEXT,
    resolve: (backend) => resolve[backend.hostname] ?? CONTEXT.resolve(backend),
  });
  const ports = Object.entries(clusters).map(([name, backends]) => [name, backends.map((one) => one.port)]);
  const config = routesBootstrap({ port, routes, clusters: Object.fromEntries(ports), adminPort });
  const process = await runEnvoy(config, adminPort);
  // The admin port answers a little before the listener does.
  while (!(await process.admin('/ready')).startsWith('LIVE')) await new Promise((done) => setTimeout(done, 10));
  return {
    port,
    process,
    call: (path, options) => call({ port, path, ...options }),
    callMany: (count, path, options) => callMany(count, { port, path, ...options }),
    counter: async (name) => {
      const line = (await process.admin(`/stats?filter=^${name}$`)).trim();
      return line === '' ? 0 : Number(line.split(': ')[1]);
    },
  };
}
