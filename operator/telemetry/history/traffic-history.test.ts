import { expect, test } from '@jest/globals';
import { flowKey } from '../flow-series.ts';
import { encodeLabels } from '../testing/encoded-labels.ts';
import { TrafficHistory } from './traffic-history.ts';

const NOW = 1_700_000_000_000;
const CALLER = encodeLabels({
  reporter: 'source',
  upstream_cluster: 'outbound|80||ordering.shop.svc',
  response_code: '503',
  response_flags: 'UO',
});
const SERVER = encodeLabels({ reporter: 'destination', response_flags: 'UO' });

/** What is kept of a report with some of everything. */
function kept(remembersCalls: boolean): string[] {
  const names = {
    ofPod: (uid: string) => `shop/${uid}`,
    ofService: () => 'shop/ordering',
    isTcp: () => false,
    isTcpOfPod: () => false,
    hasSidecars: () => false,
  };
  const history = new TrafficHistory(names, { remembersCalls });
  history.reported('ui', NOW);
  history.count('ui', CALLER, 3, NOW);
  for (const flow of ['opened', 'closed', 'sent', 'received'] as const)
    history.count('ui', flowKey(flow, 'tcp', CALLER), 4, NOW);
  history.count('ui', flowKey('opened', 'tcp', SERVER), 2, NOW);
  history.durations(
    'ui',
    [{ key: CALLER, value: { total: 3, sumMs: 30, buckets: [{ upperMs: 25, cumulative: 3 }] } }],
    NOW,
  );
  history.overflow('ui', encodeLabels({ cluster_name: 'outbound|80||ordering.shop.svc' }), 5, NOW);
  const policy = { kind: 'AuthorizationPolicy', namespace: 'shop', name: 'none' };
  history.refused('ui', { policy, reason: 'denied', among: 1, shared: false }, 6, NOW);
  const window = history.slices.window(NOW + 5000, 60);
  return [...history.sum(window)].map(({ counter, by }) => `${counter.kind} ${by}`).sort();
}

test('where a Prometheus has the calls, none is kept a second time: only what it has not', () => {
  const others = ['overflow 5', 'own overflow 2', 'refused 6', 'reports 1'];
  expect(kept(false)).toEqual(others);
  expect(kept(true)).toEqual(
    [
      'calls 3',
      'closed 4',
      'duration 3',
      'opened 2',
      'opened 4',
      'own time 30',
      'received 4',
      'sent 4',
      ...others,
    ].sort(),
  );
});
