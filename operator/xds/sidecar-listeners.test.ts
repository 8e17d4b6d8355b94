import { expect, test } from '@jest/globals';
import { LISTENER_TYPE } from './resource.ts';
import { deltaBetween, port, proxyOf, service, snapshotOf, workload } from './testing/mesh-fixture.ts';
import { XdsCache } from './xds-cache.ts';

const OBJECT = { kind: 'Sidecar', namespace: 'shop', name: 'default' };
const KEY = 'Sidecar/shop/default';

/** Names of the listeners of a client whose Sidecar has one to connect to, beside a host on port 80. */
function listenersWith(bind: string, number: number): string[] {
  const every = { namespace: '*', host: '*' };
  const own = { port: { number, protocol: 'http' as const, name: 'http' }, bind, hosts: [every] };
  const snapshot = snapshotOf({
    services: [service('catalog.shop', [port(80, 'http'), port(number, 'http', 'other')])],
    sidecars: [{ object: OBJECT, key: KEY, egress: [own, { hosts: [every] }] }],
    workloads: [workload('w0', { sidecar: KEY })],
  });
  const cache = new XdsCache();
  cache.update(snapshot, deltaBetween(undefined, snapshot));
  return [...cache.wildcard(proxyOf('w0'), LISTENER_TYPE).keys()];
}

test('a listener to connect to stands beside the one of the port for redirected connections', () => {
  expect(listenersWith('127.0.0.1', 80)).toEqual(expect.arrayContaining(['outbound|80', 'egress|80|127.0.0.1']));
});

test.each(['0.0.0.0', '::'])('one at %s takes redirected connections too: Envoy has an address once', (address) => {
  const names = listenersWith(address, 80);
  expect(names).toContain(`egress|80|${address}`);
  expect(names).not.toContain('outbound|80');
});

test.each([15_000, 15_001, 15_006, 15_021, 15_031, 15_053, 15_090])(
  'none is on port %d of the proxy itself',
  (number) => {
    expect(listenersWith('127.0.0.1', number)).not.toContain(`egress|${number}|127.0.0.1`);
  },
);
