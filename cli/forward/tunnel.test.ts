import { once } from 'node:events';
import { expect, test } from '@jest/globals';
import { Tunnel, type TunnelSocket } from './tunnel.ts';

const TARGET = { namespace: 'shop', pod: 'ui-1', port: 15000 };

function attached(): { tunnel: Tunnel; calls: string[] } {
  const calls: string[] = [];
  const note = (name: string) => () => void calls.push(name);
  const socket: TunnelSocket = {
    pause: note('pause'),
    resume: note('resume'),
    close: note('close'),
    terminate: note('terminate'),
  };
  const tunnel = new Tunnel(TARGET);
  tunnel.attach(socket);
  return { tunnel, calls };
}

test('what comes is read, and the end of the socket is the end', async () => {
  const { tunnel } = attached();
  tunnel.incoming.write('hello ');
  tunnel.incoming.write('world');
  tunnel.ended();
  expect((await tunnel.toArray()).join('')).toBe('hello world');
});

test('what is written goes out', async () => {
  const { tunnel } = attached();
  tunnel.write('question');
  const [chunk] = await once(tunnel.outgoing, 'data');
  expect(String(chunk)).toBe('question');
  tunnel.destroy();
});

test('a socket stands still while nobody reads, and goes on when somebody does', () => {
  const { tunnel, calls } = attached();
  tunnel.incoming.write(Buffer.alloc(1_000_000));
  expect(calls).toEqual(['pause']);
  tunnel.read();
  expect(calls.at(-1)).toBe('resume');
  tunnel.destroy();
});

test('what kubelet complains of is the error', async () => {
  const { tunnel, calls } = attached();
  const failed = once(tunnel, 'error');
  tunnel.complaints.write('dial tcp4 127.0.0.1:15000: connect: connection refused');
  const [error] = await failed;
  expect(error).toMatchObject({
    name: 'CliError',
    code: 3,
    message: 'port 15000 of pod shop/ui-1 does not answer: nothing listens there',
  });
  expect(calls).toContain('close');
});

test('a socket that comes after the end is let go', () => {
  const tunnel = new Tunnel(TARGET);
  tunnel.destroy();
  const calls: string[] = [];
  const no = () => undefined;
  tunnel.attach({ pause: no, resume: no, close: no, terminate: () => void calls.push('terminate') });
  expect(calls).toEqual(['terminate']);
});
