import { expect, test } from '@jest/globals';
import type { ProxyView } from '../../api/view/control-plane-view.ts';
import { parseProxyConfig } from './config-dump.ts';
import { findDifferences, formatProxy } from './status-command.ts';

const AT = Date.parse('2026-11-29T14:00:00Z');
const proxy = (more: Partial<ProxyView>): ProxyView => ({
  ...{ namespace: 'shop', pod: 'ui-1', uid: '1', workload: 'ui', node: 'n1', state: 'synced', types: {} },
  ...{ rejections: [], identity: 'spiffe://a', onDemand: false },
  ...more,
});

test.each([
  [proxy({ replica: 'operator-1', connectedSince: AT - 90_000 }), 'to operator-1 for 1 min 30 s'],
  [proxy({ state: 'disconnected' }), 'none'],
  [proxy({ state: 'unknown' }), 'not known'],
])('where its stream ends is told, and whether that is known (%#)', (one, stream) => {
  expect(formatProxy(one, [], AT)).toContain(`\n  stream    ${stream}\n`);
});

test('what the sidecar refuses or still prepares is a difference', () => {
  const at = (type: string) => ({ '@type': `type.googleapis.com/envoy.admin.v3.${type}` });
  const config = parseProxyConfig(
    {
      configs: [
        {
          ...at('ListenersConfigDump'),
          dynamic_listeners: [{ name: 'a', error_state: { details: 'no such filter' } }],
        },
        {
          ...at('ClustersConfigDump'),
          dynamic_active_clusters: [{ cluster: { name: 'well' } }],
          dynamic_warming_clusters: [{ cluster: { name: 'b' } }],
        },
      ],
    },
    [],
  );
  expect(findDifferences(config)).toEqual([
    { type: 'listeners', name: 'a', problem: 'refused: no such filter' },
    { type: 'clusters', name: 'b', problem: 'waits for what it depends on (warming)' },
  ]);
});
