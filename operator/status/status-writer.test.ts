import { describe, expect, test } from '@jest/globals';
import type { Condition } from '../../api/condition.ts';
import { peerAuthentication } from '../mesh/testing/objects.ts';
import { ref, setUp } from './testing/inbound-world.ts';

describe('StatusWriter', () => {
  test('writes nothing until it leads, and then once for all', async () => {
    const { clock, objects, proxies, writer, addPod, addPolicy, programmed } = setUp();
    addPod('a', 'web');
    addPod('b', 'web');
    addPolicy('web');
    proxies.set('uid-a', true);
    proxies.set('uid-b', true);
    await clock.pass(60_000);
    expect(objects.writes).toHaveLength(0);
    writer.start();
    await clock.pass(1000);
    expect(programmed('web')).toBe('True: in force on 2 of 2 proxies');
    expect(objects.writes).toHaveLength(1);
  });

  test('says of a policy in a namespace that is not discovered that it is in force nowhere, and why', async () => {
    const { clock, writer, objects, apply, condition } = setUp();
    const labels = { 'heddle.dev/injection': 'enabled' };
    apply({ kind: 'Namespace', key: 'shop', object: { metadata: { name: 'shop', labels } } });
    writer.start();
    objects.stored.set('web', { uid: 'web', status: {} });
    const object = peerAuthentication('shop/web', { mtls: { mode: 'STRICT' } });
    apply({ kind: 'PeerAuthentication', key: 'shop/web', object, undiscovered: true });
    await clock.pass(1000);
    expect(condition('web', 'Accepted')).toMatchObject({ status: 'False', reason: 'NotDiscovered' });
    expect(condition('web', 'Accepted')?.message).toMatch(/^It is not in force: namespace shop .*discoverySelectors/);
    expect(condition('web', 'Programmed')).toMatchObject({ status: 'False', reason: 'NotAccepted' });
    apply({ kind: 'PeerAuthentication', key: 'shop/web', object, undiscovered: false });
    await clock.pass(10_000);
    expect(condition('web', 'Accepted')?.status).toBe('True');
  });

  test('takes back what an operator before it said of a policy that is judged no more', async () => {
    const { clock, writer, objects, apply } = setUp();
    const condition = { type: 'Programmed', status: 'True', reason: 'InForce', message: 'in force on 3 of 3 proxies' };
    const lastTransitionTime = '2026-01-01T00:00:00Z';
    const conditions = [{ ...condition, status: 'True' as const, lastTransitionTime, observedGeneration: 1 }];
    objects.stored.set('web', { uid: 'web', status: { conditions } });
    objects.stored.set('others', {
      uid: 'others',
      status: { conditions: [{ ...conditions[0], type: 'Reconciled' }] as Condition[] },
    });
    apply();
    writer.start();
    await clock.pass(1000);
    expect(objects.writes).toEqual([{ name: 'web', status: {} }]);
  });

  test('waits a little, so that quick proxies are in the first write', async () => {
    const { clock, objects, proxies, writer, addPod, addPolicy, programmed } = setUp();
    addPod('a', 'web');
    writer.start();
    proxies.set('uid-a', false);
    addPolicy('web');
    await clock.pass(100);
    proxies.set('uid-a', true);
    await clock.pass(300);
    expect(objects.writes).toHaveLength(1);
    expect(programmed('web')).toBe('True: in force on 1 of 1 proxy');
  });

  test('writes an object at most once in five seconds, the last state in the end', async () => {
    const { clock, objects, proxies, writer, addPod, addPolicy, programmed } = setUp();
    addPod('a', 'web');
    addPolicy('web');
    writer.start();
    proxies.set('uid-a', false);
    await clock.pass(300);
    for (let i = 0; i < 20; i += 1) {
      proxies.set('uid-a', i % 2 === 1);
      await clock.pass(200);
    }
    expect(objects.writes).toHaveLength(1);
    await clock.pass(2000);
    expect(objects.writes).toHaveLength(2);
    expect(programmed('web')).toBe('True: in force on 1 of 1 proxy');
  });

  test('writes nothing when nothing changed, not even after hours', async () => {
    const { clock, objects, proxies, writer, addPod, addPolicy } = setUp();
    addPod('a', 'web');
    addPolicy('web');
    proxies.set('uid-a', true);
    writer.start();
    await clock.pass(1000);
    writer.refresh(ref('web'));
    proxies.set('uid-a', true);
    await clock.pass(3 * 3_600_000);
    expect(objects.writes).toHaveLength(1);
  });

  test('keeps to its budget over all objects', async () => {
    const { clock, objects, writer, addPod, addPolicy } = setUp({ writesPerSecond: 10 });
    addPod('a', 'web');
    for (let i = 0; i < 60; i += 1) addPolicy(`p${i}`);
    writer.start();
    await clock.pass(1300);
    expect(objects.writes.length).toBeGreaterThanOrEqual(10);
    expect(objects.writes.length).toBeLessThanOrEqual(20);
    await clock.pass(5000);
    expect(objects.writes).toHaveLength(60);
  });

  test('writes nothing in namespaces that are not ours', async () => {
    const { clock, objects, writer, addPolicy } = setUp();
    addPolicy('web');
    writer.start();
    await clock.pass(10_000);
    expect(objects.writes).toHaveLength(0);
  });

  test('says nothing of a proxy that reconnects, and says so of one that stays away', async () => {
    const { clock, objects, proxies, writer, addPod, addPolicy, programmed } = setUp();
    addPod('a', 'web');
    addPod('b', 'web');
    addPolicy('web');
    proxies.set('uid-a', true);
    proxies.set('uid-b', true);
    writer.start();
    await clock.pass(10_000);
    proxies.set('uid-b', 'unknown');
    await clock.pass(10_000);
    proxies.set('uid-b', true);
    await clock.pass(60_000);
    expect(objects.writes).toHaveLength(1);
    proxies.set('uid-b', 'unknown');
    await clock.pass(20_000);
    expect(programmed('web')).toBe('Unknown: in force on 1 of 2 proxies; no report from shop/b');
  });

  test('a new leader takes the word of the old one until the proxies have had time to report', async () => {
    const { clock, objects, proxies, writer, addPod, addPolicy, programmed } = setUp();
    addPod('a', 'web');
    addPolicy('web');
    proxies.set('uid-a', true);
    writer.start();
    await clock.pass(1000);
    writer.stop();
    expect([clock.pending, proxies.listeners.size]).toEqual([0, 0]);
    proxies.set('uid-a', 'unknown');
    writer.start();
    await clock.pass(10_000);
    expect(objects.writes).toHaveLength(1);
    await clock.pass(10_000);
    expect(programmed('web')).toBe('Unknown: in force on 0 of 1 proxy; no report from shop/a');
  });

  test('leaves out sidecars that are still starting', async () => {
    const { clock, proxies, writer, addPod, addPolicy, programmed } = setUp();
    addPod('a', 'web');
    addPod('b', 'web', { started: false });
    addPolicy('web');
    proxies.set('uid-a', true);
    writer.start();
    await clock.pass(1000);
    expect(programmed('web')).toBe('True: in force on 1 of 1 proxy');
    proxies.set('uid-b', true);
    addPod('b', 'web');
    await clock.pass(6000);
    expect(programmed('web')).toBe('True: in force on 2 of 2 proxies');
  });

  test('repeats what a proxy said when it refused', async () => {
    const { clock, proxies, writer, addPod, addPolicy, programmed } = setUp();
    addPod('a', 'web');
    addPolicy('web');
    proxies.set('uid-a', 'no such filter');
    writer.start();
    await clock.pass(1000);
    expect(programmed('web')).toBe('False: in force on 0 of 1 proxy; refused by shop/a: no such filter');
  });

  test('keeps the time of the last transition while the status stays, and counts the generation up', async () => {
    const { clock, proxies, writer, addPod, addPolicy, condition } = setUp();
    addPod('a', 'web');
    addPolicy('web');
    proxies.set('uid-a', true);
    writer.start();
    await clock.pass(1000);
    const before = condition('web', 'Programmed');
    await clock.pass(10_000);
    addPolicy('web', 2);
    await clock.pass(1000);
    const after = condition('web', 'Programmed');
    expect([before?.observedGeneration, after?.observedGeneration]).toEqual([1, 2]);
    expect(after?.lastTransitionTime).toBe(before?.lastTransitionTime);
  });

  test('leaves the conditions of others alone', async () => {
    const { clock, objects, writer, addPod, addPolicy } = setUp();
    addPod('a', 'web');
    const foreign: Condition = {
      type: 'Reconciled',
      status: 'True',
      reason: 'X',
      message: '',
      lastTransitionTime: '2025-01-01T00:00:00Z',
    };
    objects.stored.set('web', { uid: 'web', status: { conditions: [foreign] } });
    addPolicy('web');
    writer.start();
    await clock.pass(1000);
    const types = objects.writes[0]?.status.conditions?.map(({ type }) => type);
    expect(types).toEqual(['Reconciled', 'Accepted', 'Conflicted', 'Programmed']);
  });

  test('writes again when somebody wrote over it, or the object was made anew', async () => {
    const { clock, objects, writer, addPod, addPolicy } = setUp();
    addPod('a', 'web');
    addPolicy('web');
    writer.start();
    await clock.pass(20_000);
    const written = objects.writes.length;
    objects.stored.set('web', { uid: 'web', status: {} });
    writer.refresh(ref('web'));
    await clock.pass(20_000);
    objects.stored.set('web', { uid: 'another', status: {} });
    writer.refresh(ref('web'));
    await clock.pass(20_000);
    expect(objects.writes).toHaveLength(written + 2);
  });

  test('tries again with growing pauses while the API server does not take it', async () => {
    const errors: unknown[] = [];
    const { clock, objects, proxies, writer, addPod, addPolicy } = setUp({ onError: (_, error) => errors.push(error) });
    addPod('a', 'web');
    addPolicy('web');
    objects.failure = new Error('away');
    writer.start();
    for (let i = 0; i < 600; i += 1) {
      await clock.pass(100);
      proxies.set('uid-a', true);
    }
    expect(errors.length).toBeGreaterThan(2);
    expect(errors.length).toBeLessThan(6);
    objects.failure = undefined;
    await clock.pass(60_000);
    expect(objects.writes).toHaveLength(1);
  });

  test('takes its conditions back when the namespace is not ours any more', async () => {
    const { clock, objects, writer, apply, addPod, addPolicy } = setUp();
    addPod('a', 'web');
    addPolicy('web');
    writer.start();
    await clock.pass(10_000);
    apply({ kind: 'Pod', key: 'shop/a', object: undefined });
    await clock.pass(10_000);
    expect(objects.writes.at(-1)?.status).toEqual({});
    await clock.pass(200_000);
    expect(objects.writes.filter(({ status }) => status.conditions === undefined)).toHaveLength(1);
  });
});
