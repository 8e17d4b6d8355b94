import { describe, expect, it } from '@jest/globals';
import type { Canary } from '../../api/canary.ts';
import { KubeError } from '../../kube/kube-error.ts';
import { giveOrder } from './control.ts';

type Given = { metadata: { resourceVersion?: string; annotations?: Record<string, string> } };

function canary(resourceVersion: string, annotation?: string, done?: string): Canary {
  return {
    metadata: {
      name: 'orders',
      namespace: 'shop',
      resourceVersion,
      annotations: annotation === undefined ? {} : { 'canary.heddle.dev/command': annotation },
    },
    status: done === undefined ? {} : { command: { value: done } },
  } as unknown as Canary;
}

/** Gives what is read one after the other, and the versions with which an order was written. */
function play(reads: readonly Canary[], current: string) {
  const left = [...reads];
  const written: Given[] = [];
  const api = {
    patch: async (...args: unknown[]): Promise<never> => {
      const given = args[3] as Given;
      written.push(given);
      if (given.metadata.resourceVersion !== current) throw new KubeError(409, 'Conflict', 'has been modified');
      return given as never;
    },
  };
  const order = (value: string) => giveOrder(api, async () => left.shift() ?? canary(current), value);
  return { order, written };
}

describe('giving an order', () => {
  it('reads anew when the operator has written the status in between', async () => {
    const { order, written } = play([canary('1'), canary('2')], '2');
    await order('promote');
    expect(written.map(({ metadata }) => metadata.resourceVersion)).toEqual(['1', '2']);
  });

  it('writes over no other order that came in between', async () => {
    const { order, written } = play([canary('1'), canary('2', 'abort')], '2');
    await expect(order('promote')).rejects.toThrow('abort waits to be carried out');
    expect(written).toHaveLength(1);
  });

  it('waits until an order that has been carried out is taken away', async () => {
    const { order, written } = play([canary('1', 'pause', 'pause'), canary('2')], '2');
    await order('promote');
    expect(written).toHaveLength(1);
  });

  it('gives up where each version has passed', async () => {
    const { order, written } = play(
      Array.from({ length: 20 }, () => canary('1')),
      '2',
    );
    await expect(order('promote')).rejects.toThrow('has been modified');
    expect(written).toHaveLength(10);
  });
});
