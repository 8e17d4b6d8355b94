import { describe, expect, test } from '@jest/globals';
import { encodeLabels } from '../telemetry/testing/encoded-labels.ts';
import { setUp } from './reported-mesh.fixture.ts';

describe('what was refused', () => {
  test('is told by policy and node', () => {
    const { report, pass, refusals: ask } = setUp();
    const labels = { kind: 'AuthorizationPolicy', namespace: 'shop', name: 'deny-all', reason: 'deny', among: '2' };
    report('ordering-1', { [`refused ${encodeLabels(labels)}`]: 4 });
    pass(5000);
    const { refusals } = ask('shop');
    expect(refusals).toEqual([
      {
        policy: { kind: 'AuthorizationPolicy', namespace: 'shop', name: 'deny-all' },
        reason: 'deny',
        workload: 'shop/ordering',
        requests: 4,
        among: 2,
      },
    ]);
    expect(ask('other').refusals).toEqual([]);
    expect(ask('shop')).toMatchObject({ source: 'operator', complete: true, missing: [] });
  });

  test('is not told as nothing where reports are missing', () => {
    const { refusals: ask } = setUp({}, ['no report of shop/ui-9 since 40 s']);
    expect(ask('shop')).toMatchObject({
      complete: false,
      missing: ['no report of shop/ui-9 since 40 s'],
      refusals: [],
    });
  });
});
