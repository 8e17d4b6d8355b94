import { expect, test } from '@jest/globals';
import type { ResourceChange } from '../xds/resource.ts';
import { FanOut } from './fan-out.ts';
import { ResourceRegistry } from './resource-registry.ts';
import { ProxyStream } from './stream.ts';
import { STREAM_SETTINGS } from './stream-settings.ts';

const streams = ['a', 'b'].map((uid) => {
  const proxy = { uid, podName: uid, namespace: 'n', serviceAccount: 's' };
  const events = { write: () => {}, pushed: () => {}, answered: () => {} };
  return new ProxyStream(proxy, new ResourceRegistry([]), STREAM_SETTINGS, events);
});

/** A change that notes for whom it was looked at. */
const change = (seen: string[], name: string, then = (_: string) => {}): ResourceChange => ({
  affected: ({ uid }) => {
    seen.push(`${name} ${uid}`);
    then(uid);
    return undefined;
  },
});

const turns = async (): Promise<void> => {
  for (let turn = 0; turn < 20; turn++) await new Promise(setImmediate);
};

test('each change comes to each stream once, also one that comes while another is carried', async () => {
  const seen: string[] = [];
  const fanOut = new FanOut(
    () => streams,
    () => {},
  );
  fanOut.publish(change(seen, 'first', (uid) => uid === 'a' && fanOut.publish(change(seen, 'second'))));
  await turns();
  expect(seen).toEqual(['first a', 'first b', 'second a', 'second b']);
  fanOut.publish(change(seen, 'third'));
  await turns();
  expect(seen.slice(4)).toEqual(['third a', 'third b']);
});

test('a stream that can not be told holds up no other, nor what comes later', async () => {
  const seen: string[] = [];
  const failed: string[] = [];
  const fanOut = new FanOut(
    () => streams,
    ({ proxy }, error) => failed.push(`${proxy.uid}: ${error}`),
  );
  const fails = (uid: string) => {
    if (uid === 'a') throw new Error('no');
  };
  fanOut.publish(change(seen, 'first', fails));
  await turns();
  fanOut.publish(change(seen, 'second'));
  await turns();
  expect(failed).toEqual(['a: Error: no']);
  expect(seen).toEqual(['first a', 'first b', 'second a', 'second b']);
});
