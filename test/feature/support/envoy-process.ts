import { type ChildProcess, spawn } from 'node:child_process';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { envoyBinary } from '../../../hack/envoy/binary.ts';
import { ADS_CONFIG } from '../../../proxy/ads-config.ts';
import { XDS_CLUSTER } from '../../../proxy/names.ts';
import { buildRuntime } from '../../../proxy/runtime.ts';
import { buildStatsConfig } from '../../../proxy/stats.ts';
import { freePort } from './free-port.ts';

/** What the bootstrap of a test's Envoy holds. */
export interface EnvoyOptions {
  readonly nodeId: string;
  readonly token: string;
  readonly adsPort: number;
  readonly rootPem: string;
  /** Name in the certificate of the control plane; default `localhost`. */
  readonly serverName?: string;
  readonly flushSeconds?: number;
  /** Static listeners and clusters besides, as the bootstrap of a pod has them. @param adminPort where the admin interface is */
  readonly statics?: (adminPort: number) => {
    readonly listeners: readonly Config[];
    readonly clusters: readonly Config[];
  };
  /** Variables of its environment besides the test's own. */
  readonly env?: Readonly<Record<string, string>>;
}

/** A running Envoy on loopback. */
export interface EnvoyProcess {
  readonly adminPort: number;
  readonly pid: number;
  /** Text of an admin page. */
  admin(path: string): Promise<string>;
  /** Everything it wrote, to its log and of what policies refused. */
  log(): string;
  stop(): Promise<void>;
}

type Config = Readonly<Record<string, unknown>>;
const TYPE = 'type.googleapis.com/envoy';

/** Starts the real Envoy with delta ADS over TLS, its token read from a file, and waits for its admin port. */
export async function startEnvoy(options: EnvoyOptions): Promise<EnvoyProcess> {
  const folder = await mkdtemp(join(tmpdir(), 'heddle-envoy-'));
  const adminPort = await freePort();
  await writeFile(join(folder, 'token'), options.token);
  await writeFile(join(folder, 'root.pem'), options.rootPem);
  const envoy = await runEnvoy(bootstrap(options, folder, adminPort), adminPort, options.env);
  const stop = async (): Promise<void> => {
    await envoy.stop();
    await rm(folder, { recursive: true, force: true });
  };
  return { ...envoy, stop };
}

/** Starts the real Envoy with the given bootstrap, which has the admin port, and waits until that answers. */
export async function runEnvoy(
  config: unknown,
  adminPort: number,
  env: Readonly<Record<string, string>> = {},
): Promise<EnvoyProcess> {
  // A file: with many static listeners it is longer than an argument may be.
  const folder = await mkdtemp(join(tmpdir(), 'heddle-bootstrap-'));
  const file = join(folder, 'bootstrap.json');
  await writeFile(file, JSON.stringify(config));
  const args = [
    '--config-path',
    file,
    '--concurrency',
    '1',
    '--use-dynamic-base-id',
    // What is logged is written out after ten seconds else.
    '--file-flush-interval-msec',
    '200',
    '-l',
    'warning',
  ];
  const child = spawn(await envoyBinary(), args, {
    stdio: ['ignore', 'pipe', 'pipe'],
    env: { ...process.env, ...env },
  });
  let log = '';
  for (const output of [child.stdout, child.stderr]) {
    output.on('data', (text: Buffer) => {
      log = (log + text.toString()).slice(-100_000);
    });
  }
  const admin = async (path: string): Promise<string> => {
    try {
      return await (await fetch(`http://127.0.0.1:${adminPort}${path}`)).text();
    } catch (cause) {
      const end = child.signalCode ?? child.exitCode ?? 'it runs';
      throw new Error(`Envoy's admin port does not answer ${path} (${end}): ${log}`, { cause });
    }
  };
  await untilAnswers(
    child,
    () => admin('/server_info'),
    () => log,
  );
  return {
    adminPort,
    pid: child.pid ?? 0,
    admin,
    log: () => log,
    stop: async () => {
      const exited = new Promise((resolve) => child.once('exit', resolve));
      if (child.exitCode === null) {
        child.kill('SIGKILL');
        await exited;
      }
      await rm(folder, { recursive: true, force: true });
    },
  };
}

async function untilAnswers(child: ChildProcess, ask: () => Promise<string>, log: () => string): Promise<void> {
  for (let tries = 0; tries < 200; tries++) {
    if (child.exitCode !== null) {
      break;
    }
    try {
      await ask();
      return;
    } catch {
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
  }
  throw new Error(`Envoy did not start: ${log()}`);
}

/** What sidecars count, and how, with some of the test's. */
function countedStats(): Config {
  const { stats_config: config, deferred_stat_options } = buildStatsConfig() as {
    stats_config: { stats_matcher: { inclusion_list: { patterns: Config[] } } };
    deferred_stat_options: Config;
  };
  const patterns = [...config.stats_matcher.inclusion_list.patterns, { contains: 'upstream_rq' }];
  return { stats_config: { ...config, stats_matcher: { inclusion_list: { patterns } } }, deferred_stat_options };
}

function bootstrap(options: EnvoyOptions, folder: string, adminPort: number): Config {
  const ads = { ads: {}, resource_api_version: 'V3' };
  const statics = options.statics?.(adminPort) ?? { listeners: [], clusters: [] };
  return {
    node: { id: options.nodeId, cluster: 'test' },
    admin: { address: socket(adminPort) },
    ...buildRuntime(),
    stats_flush_interval: `${options.flushSeconds ?? 5}s`,
    ...countedStats(),
    stats_sinks: [
      {
        name: 'envoy.stat_sinks.metrics_service',
        typed_config: {
          '@type': `${TYPE}.config.metrics.v3.MetricsServiceConfig`,
          transport_api_version: 'V3',
          emit_tags_as_labels: true,
          histogram_emit_mode: 'HISTOGRAM',
          batch_size: 1000,
          grpc_service: { envoy_grpc: { cluster_name: XDS_CLUSTER }, timeout: '0s' },
        },
      },
    ],
    dynamic_resources: {
      ads_config: ADS_CONFIG,
      cds_config: ads,
      lds_config: ads,
    },
    static_resources: { listeners: statics.listeners, clusters: [xdsCluster(options, folder), ...statics.clusters] },
  };
}

function xdsCluster(options: EnvoyOptions, folder: string): Config {
  const { serverName = 'localhost' } = options;
  const header = { key: 'authorization', value: `Bearer %FILE_CONTENT(${folder}/token:${folder})%` };
  return {
    name: XDS_CLUSTER,
    type: 'STATIC',
    load_assignment: {
      cluster_name: XDS_CLUSTER,
      endpoints: [{ lb_endpoints: [{ endpoint: { address: socket(options.adsPort) } }] }],
    },
    typed_extension_protocol_options: {
      'envoy.extensions.upstreams.http.v3.HttpProtocolOptions': {
        '@type': `${TYPE}.extensions.upstreams.http.v3.HttpProtocolOptions`,
        explicit_http_config: { http2_protocol_options: {} },
        http_filters: [
          {
            name: 'token',
            typed_config: {
              '@type': `${TYPE}.extensions.filters.http.header_mutation.v3.HeaderMutation`,
              mutations: {
                request_mutations: [{ append: { append_action: 'OVERWRITE_IF_EXISTS_OR_ADD', header } }],
                formatters: [
                  {
                    name: 'envoy.formatter.file_content',
                    typed_config: { '@type': `${TYPE}.extensions.formatter.file_content.v3.FileContent` },
                  },
                ],
              },
            },
          },
          {
            name: 'codec',
            typed_config: { '@type': `${TYPE}.extensions.filters.http.upstream_codec.v3.UpstreamCodec` },
          },
        ],
      },
    },
    transport_socket: {
      name: 'tls',
      typed_config: {
        '@type': `${TYPE}.extensions.transport_sockets.tls.v3.UpstreamTlsContext`,
        sni: serverName,
        common_tls_context: {
          alpn_protocols: ['h2'],
          validation_context: {
            trusted_ca: { filename: join(folder, 'root.pem') },
            match_typed_subject_alt_names: [{ san_type: 'DNS', matcher: { exact: serverName } }],
          },
        },
      },
    },
  };
}

function socket(port: number): Config {
  return { socket_address: { address: '127.0.0.1', port_value: port } };
}
