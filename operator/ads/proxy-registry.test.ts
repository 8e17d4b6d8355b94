import { afterEach, beforeEach, describe, expect, jest, test } from '@jest/globals';
import { GRACE_MS, ProxyRegistry } from './proxy-registry.ts';
import { ResourceRegistry } from './resource-registry.ts';
import { ProxyStream } from './stream.ts';
import { STREAM_SETTINGS } from './stream-settings.ts';

const UID = 'u';

function newStream(): ProxyStream {
  const proxy = { uid: UID, podName: 'p', namespace: 'n', serviceAccount: 's' };
  const events = { write: () => undefined, pushed: () => undefined, answered: () => undefined };
  return new ProxyStream(proxy, new ResourceRegistry([]), STREAM_SETTINGS, events);
}

describe('the registry of proxies', () => {
  let registry: ProxyRegistry;

  beforeEach(() => {
    jest.useFakeTimers();
    registry = new ProxyRegistry();
  });
  afterEach(() => {
    jest.useRealTimers();
  });

  /** A proxy comes and goes. */
  function visit(): void {
    const stream = newStream();
    registry.open(stream, 'peer', () => undefined);
    registry.close(stream);
  }

  test('knows a proxy for a while after its stream ended', () => {
    visit();
    expect(registry.proxy(UID)?.connected).toBe(false);
    jest.advanceTimersByTime(GRACE_MS - 1);
    expect(registry.proxy(UID)).toBeDefined();
    jest.advanceTimersByTime(1);
    expect(registry.proxy(UID)).toBeUndefined();
  });

  test('keeps one stream of a proxy that comes again and again, not all that it ever had', () => {
    for (let times = 0; times < 50; times++) visit();
    // Nothing but the timer knows of a stream that another has taken the place of.
    expect(jest.getTimerCount()).toBe(1);
    jest.advanceTimersByTime(GRACE_MS / 2);
    registry.open(newStream(), 'peer', () => undefined);
    expect(jest.getTimerCount()).toBe(0);
    jest.advanceTimersByTime(GRACE_MS);
    expect(registry.proxy(UID)?.connected).toBe(true);
  });

  test('counts who comes and goes, and not what they acknowledge', () => {
    const stream = newStream();
    const moves = [
      () => registry.open(stream, 'peer', () => undefined),
      () => registry.noted(UID, 'type', ['a']),
      () => registry.close(stream),
      () => jest.advanceTimersByTime(GRACE_MS),
    ].map((move) => {
      const before = registry.moves;
      move();
      return registry.moves - before;
    });
    expect(moves).toEqual([1, 0, 1, 1]);
  });

  test('keeps nothing of a pod that is gone', () => {
    visit();
    registry.revoke(UID);
    expect([jest.getTimerCount(), registry.proxy(UID)]).toEqual([0, undefined]);
  });
});
