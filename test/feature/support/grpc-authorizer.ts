import { create, fromBinary, toBinary } from '@bufbuild/protobuf';
import { Server, ServerCredentials, type ServerUnaryCall, type sendUnaryData, status } from '@grpc/grpc-js';
import {
  type CheckRequest,
  CheckRequestSchema,
  type CheckResponse,
  CheckResponseSchema,
} from '../../../generated/envoy/envoy/service/auth/v3/external_auth_pb.js';

const same = (bytes: Buffer): Buffer => bytes;
const CHECK = {
  path: '/envoy.service.auth.v3.Authorization/Check',
  requestStream: false,
  responseStream: false,
  requestSerialize: same,
  requestDeserialize: same,
  responseSerialize: same,
  responseDeserialize: same,
};
const header = (key: string, value: string) => ({ header: { key, value } });

/**
 * Envoy's gRPC service `Authorization`: allows requests whose header `x-verdict` is `allow`, and connections while `allowsConnections`. What it knows of a
 * caller it leaves as metadata: `tenant`, a text, and `roles`, a list.
 */
export class GrpcAuthorizer {
  readonly asked: CheckRequest[] = [];
  /** Hosts that questions were for. */
  readonly hosts = new Set<string>();
  allowsConnections = true;
  readonly #server = new Server();

  start(): Promise<number> {
    this.#server.addService(
      { check: CHECK },
      {
        check: (call: ServerUnaryCall<Buffer, Buffer>, answer: sendUnaryData<Buffer>) => {
          const question = fromBinary(CheckRequestSchema, call.request);
          this.asked.push(question);
          this.hosts.add(call.getHost());
          answer(null, Buffer.from(toBinary(CheckResponseSchema, this.#decide(question))));
        },
      },
    );
    return new Promise((resolve, reject) => {
      this.#server.bindAsync('127.0.0.1:0', ServerCredentials.createInsecure(), (error, port) =>
        error === null ? resolve(port) : reject(error),
      );
    });
  }

  stop(): void {
    this.#server.forceShutdown();
  }

  #decide({ attributes }: CheckRequest): CheckResponse {
    const headers = attributes?.request?.http?.headers;
    const allows = headers === undefined ? this.allowsConnections : headers['x-verdict'] === 'allow';
    if (allows) {
      const value = {
        headers: [header('x-user', 'bob')],
        headersToRemove: ['x-verdict'],
        responseHeadersToAdd: [header('x-checked', 'grpc')],
      };
      return create(CheckResponseSchema, {
        status: { code: status.OK },
        httpResponse: { case: 'okResponse', value },
        dynamicMetadata: { tenant: 'acme', roles: ['reader', 'writer'] },
      });
    }
    const value = { status: { code: 402 }, headers: [header('x-why', 'unpaid')], body: 'pay first' };
    return create(CheckResponseSchema, {
      status: { code: status.PERMISSION_DENIED },
      httpResponse: { case: 'deniedResponse', value },
    });
  }
}
