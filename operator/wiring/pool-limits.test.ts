import { expect, test } from '@jest/globals';
import { MeshBuilder } from '../mesh/mesh-builder.ts';
import { destinationRule, pod, SETTINGS, service, sidecar } from '../mesh/testing/objects.ts';
import { ownPool, PoolLimitIndex } from './pool-limits.ts';

const HOST = 'ordering.shop.svc.cluster.local';
const CLUSTER = `outbound|80||${HOST}`;
const ui = { namespace: 'shop', labels: { app: 'ui' } };

const rule = (maxConnections: number) =>
  destinationRule('shop/ordering', {
    host: HOST,
    trafficPolicy: { connectionPool: { tcp: { maxConnections } } },
    workloadSelector: { matchLabels: { app: 'ui' } },
    subsets: [
      {
        name: 'v2',
        labels: { version: 'v2' },
        trafficPolicy: { connectionPool: { http: { http1MaxPendingRequests: 7, http2MaxRequests: 9 } } },
      },
    ],
  });

test('limits are those of the rule that holds for the caller, by subset, and follow it', () => {
  const builder = new MeshBuilder(SETTINGS);
  const ordering = service('ordering', { app: 'ordering' });
  builder.apply([{ kind: 'Service', key: 'shop/ordering', object: ordering }]);
  const index = new PoolLimitIndex(builder.snapshot);
  const limitsOf = (cluster: string, caller = ui) => index.pool(caller, cluster)?.limits;
  expect(limitsOf(CLUSTER)).toEqual({});
  for (const max of [2, 5]) {
    const { delta } = builder.apply([{ kind: 'DestinationRule', key: 'shop/ordering', object: rule(max) }]);
    index.update(builder.snapshot, delta);
    for (const cluster of [CLUSTER, `outbound|80||*.${HOST}`]) expect(limitsOf(cluster)).toEqual({ connections: max });
  }
  expect(limitsOf(`outbound|80|v2|${HOST}|r2`)).toEqual({ pending: 7, active: 9 });
  // Another caller has no rule, and what is not there no limits that are known.
  expect(limitsOf(CLUSTER, { namespace: 'shop', labels: { app: 'cart' } })).toEqual({});
  expect([limitsOf(`outbound|81||${HOST}`), limitsOf('outbound|80||gone'), limitsOf('xds-grpc')]).toEqual([
    undefined,
    undefined,
    undefined,
  ]);
});

test('limits towards the application are those of the Sidecar that is in force, port by port', () => {
  const inboundConnectionPool = { tcp: { maxConnections: 3 }, http: { http1MaxPendingRequests: 1 } };
  const builder = new MeshBuilder(SETTINGS);
  builder.apply([
    { kind: 'Pod', key: 'shop/ordering', object: pod('ordering', { uid: 'ordering', labels: { app: 'ordering' } }) },
    { kind: 'Service', key: 'shop/ordering', object: service('ordering', { app: 'ordering' }) },
  ]);
  const limitsOf = (cluster: string) => {
    const workload = builder.snapshot.workloads.get('ordering');
    return workload && ownPool(workload, cluster)?.limits;
  };
  const [port] = builder.snapshot.workloads.get('ordering')?.inbound.map(({ port: number }) => number) ?? [];
  expect(limitsOf(`inbound|${port}||`)).toEqual({});
  builder.apply([{ kind: 'Sidecar', key: 'shop/all', object: sidecar('shop/all', { inboundConnectionPool }) }]);
  expect(limitsOf(`inbound|${port}||`)).toEqual({ connections: 3, pending: 1 });
  for (const other of ['inbound|1||', 'inbound|x||', CLUSTER]) expect(limitsOf(other)).toBeUndefined();
});
