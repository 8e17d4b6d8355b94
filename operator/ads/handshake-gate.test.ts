import { Socket } from 'node:net';
import { describe, expect, test } from '@jest/globals';
import { HandshakeGate } from './handshake-gate.ts';

describe('the handshake gate', () => {
  test('lets sixteen connections begin, and one more for each that leaves', async () => {
    const gate = new HandshakeGate();
    const begun: number[] = [];
    const sockets = Array.from({ length: 20 }, () => new Socket());
    for (const [index, socket] of sockets.entries()) {
      gate.enter(socket, () => begun.push(index));
    }
    expect(begun).toHaveLength(16);
    expect(gate.waitingCount).toBe(4);
    for (const socket of sockets.slice(0, 2)) {
      gate.leave(socket);
    }
    await new Promise((resolve) => setImmediate(resolve));
    expect(begun.slice(16)).toEqual([16, 17]);
    expect(gate.waitingCount).toBe(2);
    for (const socket of sockets) {
      gate.leave(socket);
    }
    expect(gate.waitingCount).toBe(0);
  });

  test('does not wait for connections that say nothing', async () => {
    const gate = new HandshakeGate();
    for (let index = 0; index < 16; index++) {
      gate.enter(new Socket(), () => undefined);
    }
    const socket = new Socket();
    await new Promise<void>((resolve) => gate.enter(socket, resolve));
    gate.leave(socket);
  });

  test('forgets a connection that closed before its turn', async () => {
    const gate = new HandshakeGate();
    const first = Array.from({ length: 16 }, () => new Socket());
    for (const socket of first) {
      gate.enter(socket, () => undefined);
    }
    const begun: string[] = [];
    const closed = new Socket();
    gate.enter(closed, () => begun.push('closed'));
    gate.enter(new Socket(), () => begun.push('next'));
    gate.leave(closed);
    for (const socket of first) {
      gate.leave(socket);
    }
    await new Promise((resolve) => setImmediate(resolve));
    expect(begun).toEqual(['next']);
  });

  test('gives the place of a connection that closed as its turn came to the one behind it', async () => {
    const gate = new HandshakeGate();
    const first = Array.from({ length: 16 }, () => new Socket());
    for (const socket of first) {
      gate.enter(socket, () => undefined);
    }
    const begun: string[] = [];
    const closing = new Socket();
    gate.enter(closing, () => begun.push('closing'));
    gate.enter(new Socket(), () => begun.push('next'));
    gate.leave(first[0] as Socket);
    closing.destroy();
    await new Promise((resolve) => setImmediate(resolve));
    expect(begun).toEqual(['next']);
  });
});
