import { afterEach, describe, expect, test } from '@jest/globals';
import { KubeConnectionError, KubeError } from '../../kube/kube-error.ts';
import { UsagePoller } from './usage-poller.ts';

const NOW = Date.UTC(2026, 0, 1, 0, 0, 20);
const item = (name: string, cpu = '100m', timestamp = '2026-01-01T00:00:15Z') => ({
  metadata: { name, namespace: 'shop' },
  timestamp,
  window: '15s',
  containers: [{ name: 'app', usage: { cpu, memory: '64Mi' } }],
});

const pollers: UsagePoller[] = [];
afterEach(() => {
  for (const poller of pollers.splice(0)) poller.stop();
});

/** A poller of an API that answers with `give`; `asked` has the namespaces in the order of the questions. */
function start(give: (namespace: string, nth: number) => unknown, more: { pauseMs?: number } = {}) {
  const asked: string[] = [];
  const clock = { now: NOW };
  const list = async (_: unknown, { namespace }: { namespace: string }) => {
    asked.push(namespace);
    return { items: await give(namespace, asked.length), resourceVersion: '' };
  };
  const poller = new UsagePoller({ api: { list } as never, now: () => clock.now, pauseMs: 1, ...more });
  pollers.push(poller);
  return { poller, asked, clock };
}

/** Waits for something, as long as Jest does. */
async function until(check: () => boolean): Promise<void> {
  while (!check()) await new Promise((resolve) => setTimeout(resolve, 1));
}

const refused = (code: number) => () => {
  throw new KubeError(code, '', 'GET /apis/metrics.k8s.io: no');
};

describe('what pods use', () => {
  test('is asked by namespace when somebody wants it, and not again before the pause is over', async () => {
    const { poller, asked } = start(() => [item('a'), item('b', '2')], { pauseMs: 60_000 });
    expect(poller.usage('shop', 'a')).toBeUndefined();
    await until(() => poller.ofNamespace('shop') !== undefined);
    expect(poller.usage('shop', 'b')).toMatchObject({ cpuCores: 2, memoryBytes: 64 * 2 ** 20 });
    expect(poller.usage('shop', 'c')).toBeUndefined();
    expect(asked).toEqual(['shop']);
  });

  test('is told of whenever it was answered, and not when it was refused', async () => {
    const { poller, asked } = start((namespace, nth) => (nth === 1 ? refused(500)() : [item(namespace)]));
    const told: string[] = [];
    poller.onAnswer((namespace) => told.push(`${namespace} ${asked.length}`));
    poller.ofNamespace('shop');
    await until(() => told.length > 0);
    expect(told[0]).toBe('shop 2');
  });

  test('is asked again while it is wanted, and no more after that', async () => {
    const { poller, asked, clock } = start((_, nth) => [item('a', `${nth}`)]);
    poller.ofNamespace('shop');
    await until(() => (poller.usage('shop', 'a')?.cpuCores ?? 0) >= 3);
    clock.now += 30_001;
    // One that is under way may still be answered; the next is not put.
    let before = -1;
    while (before !== asked.length) {
      before = asked.length;
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
    // Asked for anew, nothing is known.
    expect(poller.ofNamespace('shop')).toBeUndefined();
  });

  test('is asked of four namespaces at once', async () => {
    const waiting: (() => void)[] = [];
    const { poller, asked } = start(() => new Promise((resolve) => waiting.push(() => resolve([]))), {
      pauseMs: 60_000,
    });
    for (let i = 0; i < 10; i++) poller.ofNamespace(`n${i}`);
    await until(() => waiting.length === 4);
    expect(asked).toEqual(['n0', 'n1', 'n2', 'n3']);
    waiting[1]?.();
    await until(() => asked.length === 5);
    expect(poller.ofNamespace('n1')).toEqual({ pods: new Map(), problem: undefined });
  });

  test('of one pod may be garbage, and says nothing of it alone', async () => {
    const { poller } = start(() => [null, {}, item('bad', 'much'), item('a')], { pauseMs: 60_000 });
    poller.ofNamespace('shop');
    await until(() => poller.ofNamespace('shop') !== undefined);
    expect([...(poller.ofNamespace('shop')?.pods.keys() ?? [])]).toEqual(['a']);
  });

  test('is not told of long ago', async () => {
    const { poller } = start(() => [item('a', '1', '2026-01-01T00:00:00Z'), item('old', '1', '2025-12-31T23:58:00Z')]);
    poller.ofNamespace('shop');
    await until(() => poller.usage('shop', 'a') !== undefined);
    expect(poller.usage('shop', 'old')).toBeUndefined();
  });

  test.each([
    [refused(404), 'NoMetricsApi', 'install metrics-server'],
    [refused(503), 'NoMetricsApi', 'see to its APIService'],
    [refused(403), 'MetricsApiForbidden', 'ClusterRole heddle-operator'],
    [refused(500), 'MetricsApiFailed', 'gives no answer'],
    [() => Promise.reject(new KubeConnectionError('ETIMEDOUT', 'no answer in time')), 'MetricsApiFailed', 'in time'],
    [() => 42, 'MetricsApiFailed', 'gives no answer'],
  ])('is a problem with a name where nobody tells it (%#)', async (give, reason, said) => {
    const { poller } = start(give, { pauseMs: 60_000 });
    poller.ofNamespace('shop');
    await until(() => poller.ofNamespace('shop') !== undefined);
    const { problem, pods } = poller.ofNamespace('shop') ?? {};
    expect([problem?.reason, pods?.size]).toEqual([reason, 0]);
    expect(problem?.message).toContain(said);
  });

  test('that was known stays known over a question without an answer, which is told', async () => {
    const { poller } = start((_, nth) => (nth === 1 ? [item('a')] : refused(503)()));
    poller.ofNamespace('shop');
    await until(() => poller.ofNamespace('shop')?.problem !== undefined);
    expect(poller.ofNamespace('shop')?.pods.has('a')).toBe(true);
  });

  test('of 1,000 pods is one question', async () => {
    const { poller, asked } = start(() => Array.from({ length: 1000 }, (_, i) => item(`p${i}`)), { pauseMs: 60_000 });
    for (let i = 0; i < 1000; i++) poller.usage('shop', `p${i}`);
    await until(() => poller.ofNamespace('shop') !== undefined);
    expect(poller.ofNamespace('shop')?.pods.size).toBe(1000);
    expect(asked).toEqual(['shop']);
  });

  test('is asked no more once it is stopped', async () => {
    const { poller, asked } = start(() => []);
    poller.stop();
    poller.ofNamespace('shop');
    await new Promise(setImmediate);
    expect(asked).toEqual([]);
  });
});
