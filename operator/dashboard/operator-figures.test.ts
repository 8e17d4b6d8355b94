import { describe, expect, test } from '@jest/globals';
import { call, failed, setUp } from './reported-mesh.fixture.ts';

describe('series', () => {
  test('have a value for each point, and null where nothing is known', async () => {
    const { report, pass, series } = setUp();
    report('ui-1', { [call()]: 10 });
    pass(5000);
    report('ui-1', { [call()]: 10 });
    pass(5000);
    const { step, series: found } = await series.series({ of: 'node', id: 'shop/ordering', seconds: 20, points: 4 });
    expect(step).toBe(5);
    expect(found).toEqual([
      {
        id: 'shop/ordering',
        perSecond: [null, null, 2, 0],
        failuresPerSecond: [null, null, 0, 0],
        p50Ms: [null, null, null, null],
        p99Ms: [null, null, null, null],
      },
    ]);
  });

  test('are of all edges, or of one without calls', async () => {
    const { report, pass, series } = setUp();
    report('ui-1', { [call()]: 10, [failed]: 5 });
    pass(60_000);
    const all = await series.series({ of: 'edge', id: '*', seconds: 60, points: 1 });
    expect(all).toMatchObject({ step: 60, series: [{ id: 'shop/ui>shop/ordering', perSecond: [0.25] }] });
    const none = await series.series({ of: 'edge', id: 'shop/a>shop/b', seconds: 60, points: 1 });
    expect(none.series).toMatchObject([{ id: 'shop/a>shop/b', perSecond: [0] }]);
  });
});
