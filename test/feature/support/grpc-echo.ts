import { Client, credentials, Server, ServerCredentials, type ServerDuplexStream } from '@grpc/grpc-js';

const PATH = '/test.Echo/Stream';
const same = (bytes: Buffer): Buffer => bytes;

/** A gRPC server of one method that streams back what it is streamed. */
export async function startGrpcEcho(): Promise<{ readonly port: number; readonly calls: () => number; close(): void }> {
  const server = new Server();
  let calls = 0;
  const definition = {
    path: PATH,
    requestStream: true,
    responseStream: true,
    requestSerialize: same,
    requestDeserialize: same,
    responseSerialize: same,
    responseDeserialize: same,
  };
  server.addService(
    { stream: definition },
    {
      stream: (call: ServerDuplexStream<Buffer, Buffer>) => {
        calls += 1;
        call.on('data', (message: Buffer) => call.write(message));
        call.on('end', () => call.end());
        call.on('error', () => {});
      },
    },
  );
  const port = await new Promise<number>((resolve, reject) => {
    server.bindAsync('127.0.0.1:0', ServerCredentials.createInsecure(), (error, bound) =>
      error === null ? resolve(bound) : reject(error),
    );
  });
  return { port, calls: () => calls, close: () => server.forceShutdown() };
}

/**
 * Streams messages to a host and back: the first at once, each further one when the one before has come back, then both sides end.
 * @returns what came back
 * @throws {Error} when the stream ends with anything but OK
 */
export function streamMessages(
  address: string,
  port: number,
  host: string,
  messages: readonly string[],
): Promise<string[]> {
  const client = new Client(`${address}:${port}`, credentials.createInsecure(), { 'grpc.default_authority': host });
  const call = client.makeBidiStreamRequest<Buffer, Buffer>(PATH, same, same, { deadline: Date.now() + 20_000 });
  const heard: string[] = [];
  return new Promise((resolve, reject) => {
    const next = (): void => {
      const message = messages[heard.length];
      if (message === undefined) call.end();
      else call.write(Buffer.from(message));
    };
    call.on('data', (message: Buffer) => {
      heard.push(message.toString());
      next();
    });
    call.on('error', reject);
    call.on('end', () => resolve(heard));
    next();
  }).finally(() => client.close()) as Promise<string[]>;
}
