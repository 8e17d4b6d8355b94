import { describe, expect, test } from '@jest/globals';
import { objectKey } from '../mesh/object-ref.ts';
import { CallerWorld, names, ref } from './testing/caller-world.ts';

const key = (name: string): string => objectKey(ref(name));

describe('status of policies of callers', () => {
  test('counts the proxies of namespaces that see it, and that have its labels', async () => {
    const world = new CallerWorld();
    world.addPods(['a', 'b'], 'shop', { labels: { app: 'ui' } });
    world.addPods(['c'], 'far');
    world.addPods(['d'], 'near');
    world.put(['all']);
    world.put(['some'], 1, { reach: { kind: 'clients', visibility: ['near', 'shop'], labels: {} } });
    world.put(['ui'], 1, { reach: { kind: 'clients', visibility: '*', labels: { app: 'ui' } } });
    world.put(['nobody'], 1, { reach: { kind: 'clients', visibility: [], labels: {} } });
    world.writer.start();
    await world.clock.pass(1000);
    expect(['all', 'some', 'ui', 'nobody'].map((name) => world.programmed(name))).toEqual([
      'True: in force on 4 of 4 proxies',
      'True: in force on 3 of 3 proxies',
      'True: in force on 2 of 2 proxies',
      'Unknown: No proxy uses it.',
    ]);
  });

  test('goes up as proxies acknowledge a change', async () => {
    const world = new CallerWorld();
    world.addPods(names('p', 3));
    world.put(['web']);
    world.writer.start();
    await world.clock.pass(10_000);
    world.proxies.delay(key('web'), names('p', 3));
    world.put(['web'], 2);
    await world.clock.pass(2000);
    expect(world.programmed('web')).toBe('False: in force on 0 of 3 proxies; waiting for shop/p0, shop/p1, shop/p2');
    world.proxies.acknowledge('p1');
    await world.clock.pass(6000);
    expect(world.programmed('web')).toBe('False: in force on 1 of 3 proxies; waiting for shop/p0, shop/p2');
    world.proxies.acknowledge('p0');
    world.proxies.acknowledge('p2');
    await world.clock.pass(6000);
    expect(world.programmed('web')).toBe('True: in force on 3 of 3 proxies');
    expect(world.condition('web', 'Programmed')?.observedGeneration).toBe(2);
  });

  test('says so once when the proxies answer in good time', async () => {
    const world = new CallerWorld();
    world.addPods(names('p', 3));
    world.proxies.delay(key('web'), names('p', 3));
    world.writer.start();
    world.put(['web']);
    await world.clock.pass(1000);
    expect(world.programmed('web')).toBeUndefined();
    for (const pod of names('p', 3)) world.proxies.acknowledge(pod);
    await world.clock.pass(400);
    expect(world.programmed('web')).toBe('True: in force on 3 of 3 proxies');
  });

  test('goes up with each of very many proxies, too', async () => {
    const world = new CallerWorld({ resyncMs: 3_600_000 });
    const pods = names('p', 100);
    world.addPods(pods);
    world.proxies.delay(key('web'), pods);
    world.put(['web']);
    world.writer.start();
    await world.clock.pass(10_000);
    world.proxies.acknowledge('p99');
    await world.clock.pass(6000);
    expect(world.programmed('web')).toContain('in force on 1 of 100 proxies');
  });

  test('follows proxies that come, start and go', async () => {
    const world = new CallerWorld();
    world.addPods(['a']);
    world.put(['web']);
    world.writer.start();
    await world.clock.pass(10_000);
    world.proxies.delay(key('web'), ['b']);
    world.addPods(['b'], 'shop', { proxyStarted: false });
    await world.clock.pass(10_000);
    expect(world.programmed('web')).toBe('True: in force on 1 of 1 proxy');
    world.addPods(['b']);
    await world.clock.pass(10_000);
    expect(world.programmed('web')).toBe('False: in force on 1 of 2 proxies; waiting for shop/b');
    world.removePod('b');
    await world.clock.pass(10_000);
    expect(world.programmed('web')).toBe('True: in force on 1 of 1 proxy');
  });

  test('says that nobody uses it, until a service comes that it is about', async () => {
    const world = new CallerWorld();
    world.addPods(['a']);
    world.proxies.unused.add(key('web'));
    world.put(['web']);
    world.writer.start();
    await world.clock.pass(10_000);
    expect(world.programmed('web')).toBe('Unknown: No proxy uses it.');
    world.proxies.unused.clear();
    world.update({ services: new Set(['new.shop.svc.cluster.local']) });
    await world.clock.pass(1000);
    expect(world.programmed('web')).toBe('True: in force on 1 of 1 proxy');
  });

  test('says nothing of a proxy that reconnects, and says so of one that stays away, until it comes back', async () => {
    const world = new CallerWorld();
    world.addPods(['a', 'b']);
    world.put(['web']);
    world.writer.start();
    await world.clock.pass(10_000);
    const leave = (): void => {
      world.proxies.silent.add('b');
      world.proxies.tell('b');
    };
    const comeBack = (): void => {
      world.proxies.silent.clear();
      world.proxies.tell('b');
    };
    for (let i = 0; i < 5; i += 1) {
      leave();
      await world.clock.pass(10_000);
      comeBack();
      await world.clock.pass(10_000);
    }
    expect(world.writes).toBe(1);
    leave();
    await world.clock.pass(17_000);
    expect(world.programmed('web')).toBe('Unknown: in force on 1 of 2 proxies; no report from shop/b');
    comeBack();
    await world.clock.pass(6000);
    expect(world.programmed('web')).toBe('True: in force on 2 of 2 proxies');
  });

  test('repeats what a proxy says that refuses what it had acknowledged before', async () => {
    const world = new CallerWorld();
    world.addPods(['a']);
    world.put(['web']);
    world.writer.start();
    await world.clock.pass(10_000);
    world.proxies.delay(key('web'), ['a']);
    world.proxies.refused.set('a', 'no such cluster');
    world.proxies.tell('a');
    await world.clock.pass(1000);
    expect(world.programmed('web')).toBe('False: in force on 0 of 1 proxy; refused by shop/a: no such cluster');
  });
});

describe('status of very many policies', () => {
  const settle = async (policies: number, pods: number) => {
    const generous = { writesPerSecond: 1e6, checksPerSecond: 1e9 };
    const world = new CallerWorld({ ...generous, resyncMs: 3_600_000 });
    world.addPods(names('p', pods));
    world.put(names('v', policies));
    world.writer.start();
    await world.clock.pass(10_000);
    expect(world.writes).toBe(policies);
    world.proxies.asked = 0;
    return world;
  };

  test('an ACK has none of 30,000 looked at that are in force anyway', async () => {
    const world = await settle(30_000, 2);
    world.proxies.acknowledge('p0');
    await world.clock.pass(10_000);
    expect(world.proxies.asked).toBe(0);
  }, 60_000);

  test('a change of one, and the ACKs of it, have that one looked at', async () => {
    const world = await settle(3000, 2);
    world.proxies.delay(key('v7'), ['p0', 'p1']);
    world.put(['v7'], 2);
    await world.clock.pass(1000);
    world.proxies.acknowledge('p0');
    world.proxies.acknowledge('p1');
    await world.clock.pass(10_000);
    expect(world.programmed('v7')).toBe('True: in force on 2 of 2 proxies');
    expect(world.proxies.asked).toBeLessThanOrEqual(6);
  });

  test('ACKs of others do not have those looked at again that one proxy holds back', async () => {
    const world = await settle(1000, 20);
    for (const name of names('v', 1000)) world.proxies.delay(key(name), ['p19']);
    world.put(names('v', 1000), 2);
    await world.clock.pass(10_000);
    world.proxies.asked = 0;
    for (const uid of names('p', 19)) world.proxies.acknowledge(uid);
    await world.clock.pass(10_000);
    expect(world.proxies.asked).toBe(0);
    world.proxies.acknowledge('p19');
    await world.clock.pass(10_000);
    expect(world.proxies.asked).toBe(20_000);
    expect(world.programmed('v999')).toBe('True: in force on 20 of 20 proxies');
  });

  test('its own writes, when the store shows them, have nothing looked at', async () => {
    const world = new CallerWorld();
    world.onWrite = (object) => {
      world.writer.refresh(object);
      void Promise.resolve().then(() => world.writer.refresh(object));
    };
    world.addPods(['a']);
    world.put(names('v', 10));
    world.writer.start();
    await world.clock.pass(30_000);
    expect([world.writes, world.proxies.asked]).toEqual([10, 10]);
  });

  test('none is looked at in vain while no write could be made', async () => {
    const world = new CallerWorld({ writesPerSecond: 10 });
    world.addPods(['a']);
    world.put(names('v', 200));
    world.writer.start();
    await world.clock.pass(1300);
    expect(world.proxies.asked).toBeLessThanOrEqual(20);
    await world.clock.pass(40_000);
    expect([world.writes, world.proxies.asked]).toEqual([200, 200]);
  });

  test('a new pod is counted by all in a bounded time, at a bounded cost', async () => {
    const world = new CallerWorld({ writesPerSecond: 1e6, checksPerSecond: 1000, resyncMs: 3_600_000 });
    world.addPods(names('p', 30));
    world.put(names('v', 200));
    world.writer.start();
    await world.clock.pass(20_000);
    world.addPods(['new']);
    world.proxies.asked = 0;
    await world.clock.pass(1000);
    expect(world.proxies.asked).toBeLessThan(2000);
    await world.clock.pass(12_000);
    const counts = names('v', 200).map((name) => world.programmed(name));
    expect(new Set(counts)).toEqual(new Set(['True: in force on 31 of 31 proxies']));
  });

  test('what a user changes goes before those that are followed when there is time', async () => {
    const world = new CallerWorld({ writesPerSecond: 1e6, checksPerSecond: 1000, resyncMs: 3_600_000 });
    world.addPods(names('p', 30));
    world.put(names('v', 2000));
    world.writer.start();
    await world.clock.pass(10_000);
    expect(world.writes).toBeLessThan(1000);
    world.proxies.delay(key('v1999'), ['p0']);
    world.put(['v1999'], 2);
    await world.clock.pass(1000);
    world.proxies.acknowledge('p0');
    await world.clock.pass(6000);
    expect(world.programmed('v1999')).toBe('True: in force on 30 of 30 proxies');
    expect(world.writes).toBeLessThan(1000);
  });

  test('a resync goes over all in the end, whatever was missed', async () => {
    const world = new CallerWorld({ writesPerSecond: 1e6, checksPerSecond: 1000 });
    world.addPods(names('p', 30));
    world.put(names('v', 600));
    world.writer.start();
    await world.clock.pass(50_000);
    // Nobody tells of this.
    world.proxies.delay(key('v0'), ['p0']);
    world.proxies.delay(key('v599'), ['p0']);
    await world.clock.pass(5 * 60_000);
    const waiting = 'False: in force on 29 of 30 proxies; waiting for shop/p0';
    expect([world.programmed('v0'), world.programmed('v599')]).toEqual([waiting, waiting]);
  });
});
