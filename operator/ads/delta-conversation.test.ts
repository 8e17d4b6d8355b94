import { afterEach, beforeEach, expect, jest, test } from '@jest/globals';
import { Registry } from 'prom-client';
import { silentLogger } from '../../kube/logger.ts';
import { DeltaConversation } from './delta-conversation.ts';
import { createInstruments } from './instruments.ts';
import type { Call } from './proxy-call.ts';
import { GRACE_MS, ProxyRegistry } from './proxy-registry.ts';
import { ResourceRegistry } from './resource-registry.ts';
import { STREAM_SETTINGS } from './stream-settings.ts';

beforeEach(() => {
  jest.useFakeTimers();
});
afterEach(() => {
  jest.useRealTimers();
});

test('a stream that is over leaves nothing behind', () => {
  const proxies = new ProxyRegistry();
  const delta = new DeltaConversation({
    proxies,
    resources: new ResourceRegistry([]),
    memory: undefined,
    instruments: createInstruments(new Registry(), proxies as never),
    logger: silentLogger,
    settings: { ...STREAM_SETTINGS, writeStallMs: 1000, answerMs: 1000 },
  });
  const stream = { writable: true, write: () => undefined };
  const call = { call: { stream }, getPeer: () => 'peer', sendMetadata: () => undefined } as unknown as Call;
  const identity = { uid: 'u', podName: 'p', namespace: 'n', serviceAccount: 's' };
  const listener = delta
    .on(call)
    .start({ identity, expiresAt: Number.POSITIVE_INFINITY, checkNodeId: () => undefined }, () => undefined);
  expect([proxies.connected, jest.getTimerCount()]).toEqual([1, 1]);
  listener.closed();
  expect(proxies.connected).toBe(0);
  jest.advanceTimersByTime(GRACE_MS);
  expect(jest.getTimerCount()).toBe(0);
});
