import { describe, expect, test } from '@jest/globals';
import { answering, hook, Life, YES } from './life.fixture.ts';
import type { Coverage } from './observation.ts';

const PRE = { webhooks: [hook('pre-rollout')] };
const addressed = (callers: number, acknowledged: number) => ({
  addressed: (): Coverage => ({ callers, acknowledged }),
});

describe('pre-rollout hooks, where the new revision has an address', () => {
  test('wait until callers are led there, and what is found once holds', () => {
    const life = new Life(PRE).at(0, addressed(3, 2));
    expect(life.asked).toEqual([]);
    expect(life.said('Progressing')).toContain('pre-rollout hooks wait: 2 of 3 sidecars have the address');
    life.at(1, addressed(3, 3));
    expect(life.asked.map(({ hook: { type } }) => type)).toEqual(['pre-rollout']);
    expect(life.status.addressed).toBe(true);
    life.at(2, addressed(4, 3));
    expect(life.asked.map(({ hook: { type } }) => type)).toEqual(['pre-rollout']);
    expect(life.at(3, { ...addressed(4, 3), ...answering({ 'pre-rollout': YES }) }).status).toMatchObject({
      weight: 5,
    });
  });

  test('go on without one sidecar that does not answer, and never without all', () => {
    const some = new Life(PRE).at(0, addressed(3, 2)).at(31, addressed(3, 2));
    expect(some.asked).toHaveLength(1);
    const none = new Life(PRE).at(0, addressed(3, 0)).at(31, addressed(3, 0));
    expect(none.asked).toEqual([]);
    none.at(700, addressed(3, 0));
    expect(none.status).toMatchObject({ phase: 'Failed', weight: 0 });
    expect(none.last).toContain('0 of 3 sidecars have the address of revision r2');
  });

  test('say that they test the stable revision where there is no sidecar to call the new one', () => {
    const life = new Life(PRE).at(0, addressed(0, 0));
    expect(life.reasons).toContain('NoMeshClients');
    expect(life.asked).toHaveLength(1);
  });

  test('that are none wait for nothing', () => {
    expect(new Life().at(0, addressed(3, 0)).status).toMatchObject({ weight: 5 });
  });

  test('look anew in the next release', () => {
    const life = new Life(PRE).at(0, addressed(1, 1)).at(1, { command: 'abort' });
    expect(life.status.addressed).toBeUndefined();
  });
});
