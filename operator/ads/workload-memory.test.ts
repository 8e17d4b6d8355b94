import { beforeEach, describe, expect, test } from '@jest/globals';
import { CLUSTER_TYPE, VIRTUAL_HOST_TYPE } from '../xds/resource.ts';
import { type MemoryBounds, WorkloadMemory } from './workload-memory.ts';

const DAY = 24 * 3_600_000;

/** A pod; what stands before the dash is its workload. */
const pod = (podName: string) => ({ uid: podName, podName, namespace: 'shop', serviceAccount: 'default' });

describe('what is remembered of a workload', () => {
  let now: number;

  beforeEach(() => {
    now = 1000 * DAY;
  });

  function remember(bounds: Partial<MemoryBounds> = {}): WorkloadMemory {
    return new WorkloadMemory({
      workloadOf: ({ podName }) => (podName.includes('-') ? podName.split('-')[0] : undefined),
      now: () => now,
      bounds,
    });
  }

  const names = (memory: WorkloadMemory, workload: string) => memory.ahead(pod(`${workload}-next`), CLUSTER_TYPE);

  test('is what its pods asked for, of each type by itself, and nobody else’s', () => {
    const memory = remember();
    memory.asked(pod('web-1'), CLUSTER_TYPE, ['a']);
    memory.asked(pod('web-2'), CLUSTER_TYPE, ['b', 'a']);
    memory.asked(pod('web-2'), VIRTUAL_HOST_TYPE, ['80/c']);
    memory.asked(pod('alone'), CLUSTER_TYPE, ['d']);
    expect(names(memory, 'web')).toEqual(['a', 'b']);
    expect(memory.ahead(pod('web-3'), VIRTUAL_HOST_TYPE)).toEqual(['80/c']);
    expect(names(memory, 'cart')).toEqual([]);
    expect(memory.ahead(pod('alone'), CLUSTER_TYPE)).toEqual([]);
    expect([memory.remembers(pod('web-1')), memory.remembers(pod('alone'))]).toEqual([true, false]);
    expect(memory.size).toBe(3);
  });

  test('fades seven days after it was last asked for, and begins anew when it is asked for again', () => {
    const memory = remember();
    memory.asked(pod('web-1'), CLUSTER_TYPE, ['a', 'b']);
    now += 4 * DAY;
    memory.asked(pod('web-1'), CLUSTER_TYPE, ['b']);
    now += 4 * DAY;
    expect(names(memory, 'web')).toEqual(['b']);
    now += 4 * DAY;
    expect(names(memory, 'web')).toEqual([]);
    memory.asked(pod('web-2'), CLUSTER_TYPE, ['a']);
    expect(names(memory, 'web')).toEqual(['a']);
    expect(memory.size).toBe(1);
  });

  test('takes no room once it faded, though nothing is heard of the workload any more', () => {
    const memory = remember();
    memory.asked(pod('gone-1'), CLUSTER_TYPE, ['a', 'b']);
    now += 8 * DAY;
    memory.asked(pod('web-1'), CLUSTER_TYPE, ['a']);
    expect(memory.size).toBe(1);
  });

  test('fades though pods that were sent it ahead come again and again', () => {
    const memory = remember();
    const comeBack = () => memory.held(pod('web-2'), CLUSTER_TYPE, ['a', 'b']);
    now += DAY;
    memory.asked(pod('web-1'), CLUSTER_TYPE, ['a']);
    for (let days = 0; days < 6; days++) {
      comeBack();
      expect(names(memory, 'web')).toEqual(['a', 'b']);
      now += DAY;
    }
    comeBack();
    expect(names(memory, 'web')).toEqual(['a']);
    now += DAY;
    comeBack();
    expect(names(memory, 'web')).toEqual([]);
  });

  test('is learned from those that hold it after a restart', () => {
    const memory = remember();
    now += 60_000;
    memory.held(pod('web-1'), CLUSTER_TYPE, ['a']);
    expect(names(memory, 'web')).toEqual(['a']);
  });

  test('has bounds: what was asked for longest ago goes first, and nothing goes for what is only held', () => {
    const memory = remember({ namesOfWorkload: 3 });
    memory.asked(pod('web-1'), CLUSTER_TYPE, ['a', 'b', 'c']);
    now += 1;
    memory.asked(pod('web-1'), CLUSTER_TYPE, ['a', 'd']);
    expect(names(memory, 'web')).toEqual(['c', 'a', 'd']);
    memory.held(pod('web-1'), CLUSTER_TYPE, ['e']);
    expect(names(memory, 'web')).toEqual(['c', 'a', 'd']);
    expect(memory.size).toBe(3);
  });

  test('has bounds over all workloads: those go first of which nothing was heard for longest', () => {
    const few = remember({ workloads: 2 });
    for (const name of ['one-1', 'two-1', 'one-2', 'three-1']) few.asked(pod(name), CLUSTER_TYPE, ['a']);
    expect(['one', 'two', 'three'].map((name) => names(few, name).length)).toEqual([1, 0, 1]);
    const small = remember({ names: 5 });
    for (const name of ['one-1', 'two-1', 'three-1']) small.asked(pod(name), CLUSTER_TYPE, ['a', 'b']);
    expect(['one', 'two', 'three'].map((name) => names(small, name).length)).toEqual([0, 2, 2]);
    expect([few.size, small.size]).toEqual([2, 4]);
  });
});
