import { create, fromBinary, toBinary } from '@bufbuild/protobuf';
import {
  Client,
  type ClientDuplexStream,
  connectivityState,
  credentials,
  Metadata,
  type StatusObject,
} from '@grpc/grpc-js';
import {
  DeltaDiscoveryRequestSchema,
  type DeltaDiscoveryResponse,
  DeltaDiscoveryResponseSchema,
} from '../../../generated/envoy/envoy/service/discovery/v3/discovery_pb.js';

export const DELTA_PATH = '/envoy.service.discovery.v3.AggregatedDiscoveryService/DeltaAggregatedResources';

/** How to reach the server and what to say first. */
export interface AdsClientOptions {
  /** `localhost` unless told. */
  readonly host?: string;
  readonly port: number;
  /** Name that the server's certificate must carry; the host unless told. */
  readonly serverName?: string;
  readonly rootPem: string;
  /** Without it no authorization header is sent. */
  readonly token?: string;
  readonly nodeId: string;
  readonly path?: string;
  readonly metadata?: Readonly<Record<string, string>>;
}

/** The subscription part of a request. */
export interface Subscribe {
  readonly subscribe?: readonly string[];
  readonly unsubscribe?: readonly string[];
  readonly initialVersions?: Readonly<Record<string, string>>;
  readonly nonce?: string;
  readonly error?: string;
}

const identity = (bytes: Buffer): Buffer => bytes;
const WAIT_MS = 15_000;

/** A delta ADS client over TLS that answers only when told to. */
export class AdsClient {
  readonly responses: DeltaDiscoveryResponse[] = [];
  readonly ended: Promise<StatusObject>;
  readonly call: ClientDuplexStream<Buffer, Buffer>;
  private readonly client: Client;
  private readonly nodeId: string;
  private first = true;
  private waiters: (() => void)[] = [];

  constructor(options: AdsClientOptions) {
    this.nodeId = options.nodeId;
    const { host = 'localhost', port, serverName } = options;
    this.client = new Client(`${host}:${port}`, credentials.createSsl(Buffer.from(options.rootPem)), {
      'grpc.use_local_subchannel_pool': 1,
      'grpc.max_receive_message_length': -1,
      ...(serverName === undefined ? {} : { 'grpc.ssl_target_name_override': serverName }),
    });
    const metadata = new Metadata();
    if (options.token !== undefined) {
      metadata.set('authorization', `Bearer ${options.token}`);
    }
    for (const [key, value] of Object.entries(options.metadata ?? {})) {
      metadata.set(key, value);
    }
    this.call = this.client.makeBidiStreamRequest(options.path ?? DELTA_PATH, identity, identity, metadata);
    this.call.on('data', (bytes: Buffer) => {
      this.responses.push(fromBinary(DeltaDiscoveryResponseSchema, bytes));
      this.wake();
    });
    this.call.on('error', () => undefined);
    this.ended = new Promise((resolve) => this.call.on('status', resolve));
    this.ended.then(() => {
      this.hasEnded = true;
      this.wake();
    });
  }

  send(typeUrl: string, request: Subscribe = {}): void {
    const message = create(DeltaDiscoveryRequestSchema, {
      typeUrl,
      resourceNamesSubscribe: [...(request.subscribe ?? [])],
      resourceNamesUnsubscribe: [...(request.unsubscribe ?? [])],
      initialResourceVersions: { ...request.initialVersions },
      responseNonce: request.nonce ?? '',
      ...(this.first ? { node: { id: this.nodeId } } : {}),
      ...(request.error === undefined ? {} : { errorDetail: { code: 13, message: request.error } }),
    });
    this.first = false;
    this.call.write(Buffer.from(toBinary(DeltaDiscoveryRequestSchema, message)));
  }

  /** Acknowledges a response. */
  ack(response: DeltaDiscoveryResponse): void {
    this.send(response.typeUrl, { nonce: response.nonce });
  }

  /** Rejects a response. */
  nack(response: DeltaDiscoveryResponse, error: string): void {
    this.send(response.typeUrl, { nonce: response.nonce, error });
  }

  /** The next response, taken out. @throws Error when none comes, or the stream ends */
  async next(): Promise<DeltaDiscoveryResponse> {
    const deadline = Date.now() + WAIT_MS;
    for (;;) {
      const response = this.responses.shift();
      if (response !== undefined) {
        return response;
      }
      await this.woken(deadline - Date.now());
    }
  }

  /** Waits for a response of a type and acknowledges it. */
  async nextAcked(typeUrl: string): Promise<DeltaDiscoveryResponse> {
    const response = await this.next();
    if (response.typeUrl !== typeUrl) {
      throw new Error(`expected a response of ${typeUrl}, got ${response.typeUrl}`);
    }
    this.ack(response);
    return response;
  }

  /** Responses that come within a time, taken out. */
  async during(ms: number): Promise<DeltaDiscoveryResponse[]> {
    await new Promise((resolve) => setTimeout(resolve, ms));
    return this.responses.splice(0);
  }

  /** Whether the stream has ended. */
  hasEnded = false;

  /** Resolves when the connection below the stream is closed. */
  async connectionEnds(): Promise<void> {
    const channel = this.client.getChannel();
    for (let state = channel.getConnectivityState(false); state === connectivityState.READY; ) {
      await new Promise((resolve) => channel.watchConnectivityState(state, Date.now() + 60_000, resolve));
      state = channel.getConnectivityState(false);
    }
  }

  close(): void {
    this.call.cancel();
    this.client.close();
  }

  private woken(ms: number): Promise<void> {
    return new Promise((resolve, reject) => {
      const timer = setTimeout(() => reject(new Error(`no response within ${WAIT_MS} ms`)), Math.max(0, ms));
      this.waiters.push(() => {
        clearTimeout(timer);
        resolve();
      });
    });
  }

  private wake(): void {
    const waiters = this.waiters;
    this.waiters = [];
    for (const waiter of waiters) {
      waiter();
    }
  }
}

/** Names of the resources of a response. */
export function namesOf(response: DeltaDiscoveryResponse): string[] {
  return response.resources.map((resource) => resource.name);
}
