import { connect } from 'node:http2';
import { Client, type ClientDuplexStream, credentials, Server, ServerCredentials } from '@grpc/grpc-js';
import { afterEach, beforeEach, describe, expect, jest, test } from '@jest/globals';
import { MessageWriter } from './message-writer.ts';
import type { Call } from './proxy-call.ts';
import { ResponseMessage } from './response.ts';
import { wholeMessage } from './testing/whole-message.ts';

const PATH = '/test/Converse';
const identity = (bytes: Buffer): Buffer => bytes;

function response(nonce: string, resources: number, bytes: number): ResponseMessage {
  const all = Array.from({ length: resources }, (_, nth) => new Uint8Array(bytes).fill(nth));
  return new ResponseMessage({ typeUrl: 't', nonce, resources: all, removed: ['gone'] });
}

describe('the writer of messages', () => {
  let server: Server;
  let client: Client;
  let stream: ClientDuplexStream<Buffer, Buffer>;
  let call: Call;
  let port: number;
  let opened: (call: Call) => void;
  const nextCall = () =>
    new Promise<Call>((resolve) => {
      opened = resolve;
    });

  beforeEach(async () => {
    server = new Server();
    server.register(PATH, (next: Call) => opened(next), identity, identity, 'bidi');
    port = await new Promise<number>((resolve, reject) =>
      server.bindAsync('127.0.0.1:0', ServerCredentials.createInsecure(), (error, bound) =>
        error === null ? resolve(bound) : reject(error),
      ),
    );
    client = new Client(`127.0.0.1:${port}`, credentials.createInsecure(), { 'grpc.max_receive_message_length': -1 });
    const first = nextCall();
    stream = client.makeBidiStreamRequest(PATH, identity, identity);
    stream.on('error', () => undefined);
    call = await first;
    call.on('error', () => undefined);
  });

  afterEach(() => {
    stream.cancel();
    client.close();
    server.forceShutdown();
  });

  test('gives the other end whole messages, in their order, however long', async () => {
    const messages = [response('1', 1, 10), response('2', 500, 997), response('3', 0, 0), response('4', 3, 200_000)];
    const writer = new MessageWriter(call, 60_000, () => undefined);
    const received: Buffer[] = [];
    const all = new Promise<void>((resolve) => {
      stream.on('data', (bytes: Buffer) => {
        received.push(bytes);
        if (received.length === messages.length) resolve();
      });
    });
    for (const message of messages) writer.write(message);
    await all;
    expect(received.map((bytes, nth) => bytes.equals(wholeMessage(messages[nth] ?? response('', 0, 0))))).toEqual([
      true,
      true,
      true,
      true,
    ]);
    writer.stop();
  });

  test('tells of one that does not read', async () => {
    // Of gRPC's client nobody need read for it to take all there is.
    const session = connect(`http://127.0.0.1:${port}`);
    const headers = { ':method': 'POST', ':path': PATH, 'content-type': 'application/grpc', te: 'trailers' };
    const next = nextCall();
    const request = session.request(headers);
    request.on('error', () => undefined);
    const unread = await next;
    unread.on('error', () => undefined);
    await new Promise<void>((resolve) => {
      const writer = new MessageWriter(unread, 50, () => {
        writer.stop();
        resolve();
      });
      writer.write(response('1', 100, 100_000));
    });
    session.destroy();
  });

  test('lets a call end in the midst of a message', async () => {
    const ended = new Promise((resolve) => stream.on('status', ({ details }) => resolve(details)));
    const writer = new MessageWriter(call, 60_000, () => undefined);
    writer.write(response('1', 100, 100_000));
    writer.stop();
    call.emit('error', { code: 14, details: 'come again' });
    stream.on('data', () => undefined);
    expect(await ended).toBe('come again');
  });
});

describe('the time that a reader has', () => {
  beforeEach(() => {
    jest.useFakeTimers();
  });
  afterEach(() => {
    jest.useRealTimers();
  });

  /** A writer to a call whose other end takes a piece when it is told to. */
  function begin(stallMs: number) {
    let [stalls, take] = [0, (): void => {}];
    const stream = {
      writable: true,
      write: (_: Buffer, taken: () => void) => {
        take = taken;
      },
    };
    const call = { call: { stream }, sendMetadata: () => undefined } as unknown as Call;
    const writer = new MessageWriter(call, stallMs, () => {
      stalls++;
    });
    return { writer, takes: () => take(), stalls: () => stalls };
  }

  test('is for each piece anew, and there is no hurry where nothing is left to write', () => {
    const { writer, takes, stalls } = begin(1000);
    writer.write(response('1', 3, 100_000));
    for (let piece = 0; piece < 10; piece++) {
      jest.advanceTimersByTime(999);
      takes();
    }
    jest.advanceTimersByTime(10_000);
    expect(stalls()).toBe(0);
    writer.write(response('2', 1, 10));
    jest.advanceTimersByTime(1000);
    expect(stalls()).toBe(1);
  });
});
