import { once } from 'node:events';
import { type AddressInfo, createServer, type Server, type Socket } from 'node:net';
import { afterEach, describe, expect, test } from '@jest/globals';
import { waitFor } from '../../hack/mesh/wait.ts';
import { silentLogger } from '../../kube/logger.ts';
import { OutcallError, postJson } from '../../operator/canary/outcall.ts';
import { PrometheusError } from '../../operator/dashboard/prometheus-answer.ts';
import { PrometheusClient } from '../../operator/dashboard/prometheus-client.ts';
import { FetchError, fetchDocument } from '../../operator/jwks/document.ts';
import { blockList } from '../../operator/outward/destination.ts';
import { exchange } from '../../operator/providers/exchange.ts';
import { QueryError } from '../../operator/providers/provider.ts';
import type { Hit } from '../../operator/ratelimit/counters.ts';
import { RedisCounters } from '../../operator/ratelimit/redis-counters.ts';
import { Random } from './engine/random.ts';
import { SEED } from './seed.ts';
import { noise, torn } from './wire/torn-streams.ts';

const servers: Server[] = [];
afterEach(() => {
  for (const server of servers.splice(0)) server.close();
});

/** A server that does with what it is told whatever it likes. */
async function serve(hear: (socket: Socket, told: Buffer) => void): Promise<number> {
  const server = createServer((socket) => {
    socket.on('error', () => undefined);
    socket.on('data', (told) => hear(socket, told));
  });
  servers.push(server);
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return (server.address() as AddressInfo).port;
}

const timeoutMs = 10_000;
const allowed = blockList(['127.0.0.0/8']);
const bounds = { timeoutMs, allowed };
/** Who asks servers over HTTP that users name, and what it throws when there is no answer. */
const ASKED: readonly (readonly [string, (url: string) => Promise<unknown>, new (...args: never[]) => Error])[] = [
  ['JWKS', (url) => fetchDocument(url, bounds), FetchError],
  [
    'metrics',
    (url) => exchange({ url }, { allowed, signal: AbortSignal.timeout(timeoutMs), insecure: false }),
    QueryError,
  ],
  ['hooks and alerts', (url) => postJson(url, {}, bounds), OutcallError],
  [
    'the graph',
    (url) => new PrometheusClient({ url, ...bounds, authorization: async () => '' }).query('a', 1),
    PrometheusError,
  ],
];
const ANSWERS = [
  'HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: 11\r\n\r\n{"keys":[]}',
  'HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n5\r\n{"a":\r\n3;x=y\r\n"b"\r\n1\r\n}\r\n0\r\nx: y\r\n\r\n',
  'HTTP/1.1 307 Temporary Redirect\r\nlocation: /keys\r\ncontent-length: 0\r\n\r\n',
  'HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 502 Bad Gateway\r\ncontent-encoding: gzip\r\nconnection: close\r\n\r\n<p>',
].map((answer) => Buffer.from(answer));

describe(`a server of HTTP that answers anything (FUZZ_SEED=${SEED})`, () => {
  test.each(ASKED)('is understood or refused by who asks for %s', async (_, ask, refusal) => {
    const random = new Random(SEED);
    const port = await serve((socket) => {
      socket.end(random.below(4) === 0 ? noise(random) : torn(random.of(ANSWERS), random));
    });
    for (let time = 0; time < 200; time++) {
      const outcome = await ask(`http://127.0.0.1:${port}/a`).catch((error: unknown) => error);
      if (outcome instanceof Error) expect(outcome).toBeInstanceOf(refusal);
    }
  });
});

describe(`a Redis that answers anything (FUZZ_SEED=${SEED})`, () => {
  const HIT: Hit = { key: 'a', overflow: 'a', hits: 1, requests: 5, unit: 'Day' };
  const COUNTED = Buffer.from('*2\r\n:6\r\n:60000\r\n');
  /** Of other kinds than what is asked for has. */
  const REPLIES = [
    '+OK',
    '-ERR no',
    ':6',
    '$5\r\nhello',
    '*-1',
    '*1\r\n:6',
    '*2\r\n$1\r\na\r\n:1',
    '%1\r\n+a\r\n*1\r\n:1',
  ].map((reply) => Buffer.from(`${reply}\r\n`));

  test('counts nothing, and what it says in order is taken again', async () => {
    const random = new Random(SEED);
    let answer: Buffer | undefined;
    const port = await serve((socket, told) => {
      const commands = told.toString('latin1');
      const count = commands.match(/\*\d+\r\n\$/g)?.length ?? 0;
      if (!commands.includes('EVAL')) socket.write('+OK\r\n'.repeat(count));
      else if (answer === undefined) socket.write(Buffer.concat(Array(count).fill(COUNTED)));
      else socket.end(answer);
    });
    const access = { url: `redis://127.0.0.1:${port}`, credentials: async () => ({}), timeoutMs: 200 };
    const counters = new RedisCounters(access, silentLogger);
    counters.start();
    const well = () => counters.count('d', [HIT]);
    try {
      for (const reply of REPLIES) {
        answer = undefined;
        await waitFor('a connection', well);
        answer = reply;
        await expect(well()).rejects.toThrow();
      }
      for (let time = 0; time < 20; time++) {
        answer = undefined;
        await waitFor('a connection', well);
        answer = random.below(4) === 0 ? noise(random) : torn(random.of([COUNTED, ...REPLIES]), random);
        const tallies = await well().catch(() => []);
        for (const { remaining, resetMs } of tallies) expect([remaining, resetMs].some(Number.isNaN)).toBe(false);
      }
    } finally {
      counters.stop();
    }
  });
});
