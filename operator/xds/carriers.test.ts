import { describe, expect, test } from '@jest/globals';
import type { SidecarScope } from '../mesh/sidecar-scope.ts';
import { LISTENER_TYPE, VIRTUAL_HOST_TYPE } from './resource.ts';
import { deltaBetween, port, proxyOf, service, snapshotOf, workload } from './testing/mesh-fixture.ts';
import { XdsCache } from './xds-cache.ts';

const ORDERING = service('ordering.shop', [port(80, 'http'), port(90, 'tcp')]);
const LEDGER = service('ledger.bank', [port(90, 'http'), port(8080, 'http'), port(9090, 'tcp')], {
  addresses: ['10.96.0.2'],
});
const HOME: SidecarScope = {
  object: { kind: 'Sidecar', namespace: 'shop', name: 'default' },
  key: 'Sidecar/shop/default',
  egress: [{ hosts: [{ namespace: 'shop', host: '*' }] }],
};

/** The names, by type, of the resources in which a policy stands for a pod, one with a sidecar that answers DNS or not; what is to go has a `-`. */
function carriersOf(policy: string, dnsCapture: boolean): Record<string, string[]> {
  const workloads = [
    workload('plain', { sidecar: HOME.key }),
    workload('capturing', { sidecar: HOME.key, dnsCapture: true }),
  ];
  const snapshot = snapshotOf({ services: [ORDERING, LEDGER], workloads, sidecars: [HOME] });
  const cache = new XdsCache();
  cache.update(snapshot, deltaBetween(undefined, snapshot));
  // Both are of one scope, so that what is found for one must not be taken for the other's.
  const [asked, other] = dnsCapture ? ['capturing', 'plain'] : ['plain', 'capturing'];
  cache.carriersOf(proxyOf(other), policy);
  const names: Record<string, string[]> = {};
  for (const { typeUrl, name } of cache.carriersOf(proxyOf(asked), policy)) {
    const shown = cache.lookup(proxyOf(asked), typeUrl, name) === undefined ? `-${name}` : name;
    names[typeUrl] = [...(names[typeUrl] ?? []), shown].sort();
  }
  return names;
}

describe('a Sidecar stands in', () => {
  // Envoy asks for the routes of a port only when a listener of its own has HTTP there, so no others are ever acknowledged.
  test('the listeners that its pods have or lose, and the routes that these ask for', () => {
    expect(carriersOf(HOME.key, false)).toEqual({
      [LISTENER_TYPE]: [
        '-dnsCapture',
        '-outbound|8080',
        '-outbound|9090',
        'outbound|80',
        'outbound|90',
        'virtualOutbound',
      ],
      [VIRTUAL_HOST_TYPE]: ['80/*|unknown', `80/${ORDERING.hostname}`],
    });
  });

  test('the answers to DNS as well where the pod has its questions captured', () => {
    expect(carriersOf(HOME.key, true)[LISTENER_TYPE]).toContain('dnsCapture');
  });
});
