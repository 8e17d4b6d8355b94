import { createServer, type Server as NetServer } from 'node:net';
import { type ConnectionInjector, Server, setLogger, status } from '@grpc/grpc-js';
import type { Registry } from 'prom-client';
import type { Logger } from '../../kube/logger.ts';
import type { ResourceSource } from '../xds/resource.ts';
import type { AckReport } from './ack-report.ts';
import type { Authenticator } from './authenticator.ts';
import { CONNECTION_SETTINGS, type ConnectionSettings, Connections } from './connections.ts';
import { DeltaConversation } from './delta-conversation.ts';
import { FanOut } from './fan-out.ts';
import { createInstruments, type Instruments } from './instruments.ts';
import { MetricsConversation, type MetricsSink } from './metrics-conversation.ts';
import { type Call, type CallObserver, type CallSettings, type Conversation, ProxyCall } from './proxy-call.ts';
import type { ProxyObserver } from './proxy-observer.ts';
import { GONE, ProxyRegistry } from './proxy-registry.ts';
import { forbidden, type Refusal, unavailable } from './refusal.ts';
import { ResourceRegistry } from './resource-registry.ts';
import { ReplaceableCredentials, type ServerCertificate } from './server-credentials.ts';
import { STREAM_SETTINGS, type StreamSettings } from './stream-settings.ts';
import { type UnaryCall, unaryHandler } from './unary-call.ts';
import type { WorkloadMemory } from './workload-memory.ts';

const DELTA_PATH = '/envoy.service.discovery.v3.AggregatedDiscoveryService/DeltaAggregatedResources';
const SOTW_PATH = '/envoy.service.discovery.v3.AggregatedDiscoveryService/StreamAggregatedResources';
const METRICS_PATH = '/envoy.service.metrics.v3.MetricsService/StreamMetrics';

/** Bounds and timings; all have defaults. */
export interface AdsSettings extends StreamSettings, ConnectionSettings, CallSettings {
  /** A stream that takes no bytes for so long is ended, in ms. */
  readonly writeStallMs: number;
  /** A stream that does not answer a response for so long is ended, in ms. Envoy answers clusters when they are warm. */
  readonly answerMs: number;
  /** Largest message taken, in bytes. */
  readonly maxMessageBytes: number;
  readonly keepaliveMs: number;
  readonly keepaliveTimeoutMs: number;
}

export const ADS_SETTINGS: AdsSettings = {
  ...STREAM_SETTINGS,
  ...CONNECTION_SETTINGS,
  firstMessageMs: 10_000,
  farewellMs: 5_000,
  writeStallMs: 60_000,
  answerMs: 300_000,
  maxMessageBytes: 4 << 20,
  keepaliveMs: 30_000,
  keepaliveTimeoutMs: 10_000,
};

/** One more method that the port serves, to callers of its own. */
export interface OtherCall {
  readonly path: string;
  readonly authenticator: Authenticator;
  readonly conversation: Conversation;
}

/** What the server needs from outside. */
export interface AdsOptions {
  readonly sources: readonly ResourceSource[];
  readonly authenticator: Authenticator;
  readonly metricsSink: MetricsSink;
  readonly logger: Logger;
  readonly registry: Registry;
  readonly settings?: Partial<AdsSettings>;
  /** What workloads use, so that their next pods are sent it ahead; absent: nothing is. */
  readonly memory?: WorkloadMemory;
  readonly otherCalls?: readonly OtherCall[];
  readonly unaryCalls?: readonly UnaryCall[];
}

/** Time for a proxy to read why its stream ends, before its connection is closed, in ms: less than it waits before it comes back. */
const LET_GO_MS = 100;

const identity = (bytes: Buffer): Buffer => bytes;

/**
 * The aggregated discovery service, delta only, and the receiver of the proxies' metrics, on one TLS port. Proxies are
 * authenticated by their token, never by certificate: they ask here for their first one.
 */
export class AdsServer {
  private readonly options: AdsOptions;
  private readonly settings: AdsSettings;
  private readonly server: Server;
  private readonly credentials = new ReplaceableCredentials();
  private readonly injector: ConnectionInjector;
  private readonly listener: NetServer;
  private readonly connections: Connections;
  private readonly proxies = new ProxyRegistry();
  private readonly resources: ResourceRegistry;
  private readonly instruments: Instruments;
  private readonly metricsEnds = new Map<string, Set<(refusal: Refusal) => void>>();
  private readonly endSources: () => void;

  constructor(options: AdsOptions) {
    logGrpc(options.logger);
    this.options = options;
    this.settings = { ...ADS_SETTINGS, ...options.settings };
    this.resources = new ResourceRegistry(options.sources);
    this.instruments = createInstruments(options.registry, this);
    this.connections = new Connections(this.settings);
    this.server = new Server({
      'grpc.max_receive_message_length': this.settings.maxMessageBytes,
      'grpc.keepalive_time_ms': this.settings.keepaliveMs,
      'grpc.keepalive_timeout_ms': this.settings.keepaliveTimeoutMs,
      'grpc.enable_channelz': 0,
    });
    this.register();
    this.injector = this.server.createConnectionInjector(this.credentials);
    this.listener = createServer({ noDelay: true, keepAlive: true }, (socket) => {
      this.connections.admit(socket, () => this.injector.injectConnection(socket));
    });
    const fanOut = new FanOut(
      () => this.proxies.streams(),
      (stream, error) => {
        options.logger.error('change could not be carried to a proxy', {
          pod: stream.proxy.podName,
          error: String(error),
        });
      },
    );
    this.endSources = this.resources.onChange((change) => fanOut.publish(change));
  }

  /** Who has acknowledged what. */
  get acks(): AckReport {
    return this.proxies;
  }

  /** Tells of every proxy with a stream here, and of all that happens to them from now on. Gives a function that ends that. */
  observe(observer: ProxyObserver): () => void {
    return this.proxies.observe(observer);
  }

  /**
   * Uses this certificate for connections from now on; live streams go on with the earlier one.
   * @throws Error when certificate and key do not belong together
   */
  setCertificate(certificate: ServerCertificate): void {
    this.credentials.replace(certificate);
  }

  /** Listens. Gives the port, which is of use when 0 was asked for. Connections are closed until there is a certificate. */
  listen(port: number, host = '::'): Promise<number> {
    return new Promise((resolve, reject) => {
      this.listener.once('error', reject);
      this.listener.listen(port, host, () => {
        this.listener.off('error', reject);
        this.listener.on('error', (error) => this.options.logger.error('ADS port failed', { error: error.message }));
        const address = this.listener.address();
        resolve(typeof address === 'object' && address !== null ? address.port : port);
      });
    });
  }

  /** Ends the streams of a pod that is gone, or is not to be served for another reason. Its tokens are for the authenticator to forget. */
  revoke(uid: string, reason = GONE): void {
    this.proxies.revoke(uid, reason);
    for (const end of this.metricsEnds.get(uid) ?? []) {
      end(forbidden(reason));
    }
  }

  /** Proxies with a stream here. */
  get connected(): number {
    return this.proxies.connected;
  }

  /** Connections that wait for their turn to begin. */
  get waiting(): number {
    return this.connections.waiting;
  }

  /** Lets so many proxies go, which come back at once, to any replica: their connections are closed behind the streams. */
  letGo(count: number): void {
    const peers = this.proxies.endSome(count, 'another replica of the control plane has room; reconnect');
    setTimeout(() => {
      for (const peer of peers) this.connections.destroy(peer);
    }, LET_GO_MS).unref();
  }

  /**
   * Stops: takes no more connections, ends the streams over a third of the time so that the proxies go to another replica, and
   * closes what is left at the end of it.
   */
  async stop(graceMs: number): Promise<void> {
    this.endSources();
    const closed = new Promise<void>((resolve) => this.listener.close(() => resolve()));
    await this.proxies.endAll('the control plane is shutting down; reconnect', graceMs / 3);
    for (const ends of [...this.metricsEnds.values()]) {
      for (const end of [...ends]) {
        end(unavailable('the control plane is shutting down; reconnect'));
      }
    }
    this.injector.drain(graceMs / 2);
    const timer = setTimeout(() => this.connections.destroyAll(), graceMs / 2);
    await closed;
    clearTimeout(timer);
    this.server.forceShutdown();
  }

  private register(): void {
    const delta = new DeltaConversation({
      proxies: this.proxies,
      resources: this.resources,
      memory: this.options.memory,
      instruments: this.instruments,
      logger: this.options.logger,
      settings: this.settings,
    });
    const serve = (path: string, conversation: (call: Call) => Conversation, authenticator?: Authenticator): void => {
      this.server.register(
        path,
        (call: Call) => this.run(call, conversation(call), authenticator),
        identity,
        identity,
        'bidi',
      );
    };
    serve(DELTA_PATH, (call) => delta.on(call));
    serve(METRICS_PATH, () => new MetricsConversation(this.options.metricsSink, this.metricsEnds));
    for (const { path, authenticator, conversation } of this.options.otherCalls ?? []) {
      serve(path, () => conversation, authenticator);
    }
    for (const unary of this.options.unaryCalls ?? []) this.registerUnary(unary);
    this.server.register(
      SOTW_PATH,
      (call: Call) => {
        call.emit('error', {
          code: status.UNIMPLEMENTED,
          details: 'state-of-the-world discovery is not served; set ads_config.api_type to DELTA_GRPC',
        });
      },
      identity,
      identity,
      'bidi',
    );
  }

  private registerUnary(unary: UnaryCall): void {
    const { authenticator, logger } = this.options;
    const handler = unaryHandler(
      { authenticator, ...unary },
      {
        authenticated: (peer) => this.connections.authenticated(peer),
        refused: ({ code }) => this.instruments.refused.inc({ code: status[code] }),
        logger,
      },
    );
    this.server.register(unary.path, handler, identity, identity, 'unary');
  }

  private run(call: Call, conversation: Conversation, authenticator = this.options.authenticator): void {
    const { logger } = this.options;
    const observer: CallObserver = {
      authenticated: (peer) => this.connections.authenticated(peer),
      refused: (peer, refusal) => {
        this.instruments.refused.inc({ code: status[refusal.code] });
        logger.info('stream ended', { peer, code: status[refusal.code], reason: refusal.details });
      },
      failed: (peer, error) => logger.error('stream failed', { peer, error: String(error) }),
      stuck: (peer) => this.connections.destroy(peer),
    };
    new ProxyCall(call, conversation, observer, this.settings).run(authenticator).catch((error: unknown) => {
      logger.error('stream failed', { peer: call.getPeer(), error: String(error) });
    });
  }
}

/** By itself gRPC writes headers that it can't read, of anybody, tokens among them, to the error output. Behind the colon stands what is theirs. */
function logGrpc(logger: Logger): void {
  const tell = (message: unknown): void =>
    logger.debug('gRPC', { says: String(message).split(':', 1)[0]?.slice(0, 100) });
  setLogger({ error: tell, info: tell, debug: tell });
}
