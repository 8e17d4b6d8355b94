import { describe, expect } from '@jest/globals';
import { waitFor, waitUntil } from '../../../hack/mesh/wait.ts';
import { programmed } from '../support/conditions.ts';
import { clusterSetup, clusterTest, useNamespace } from '../support/namespace.ts';
import { networking } from '../support/networking-object.ts';
import { ProxyAdmin } from '../support/proxy-admin.ts';
import { Client } from '../support/testbed-client.ts';
import { client, EAGER, server } from '../support/testbed-objects.ts';
import { testbedPods } from '../support/testbed-pods.ts';

const mesh = useNamespace('demand');
const lazy = new Client(mesh, 'deployment/lazy');
const eager = new Client(mesh, 'deployment/eager');
const SERVERS = ['first', 'second', 'third', 'fourth'];

clusterSetup(
  [mesh],
  async () => {
    await mesh.apply(
      ...SERVERS.flatMap((name) => server(name)),
      ...client('lazy'),
      ...client('eager', { annotations: EAGER }),
    );
    await Promise.all([...SERVERS, 'lazy', 'eager'].map((name) => mesh.rolledOut(name)));
  },
  240_000,
);

interface ClusterDump {
  readonly cluster: { readonly name: string };
}

/** Clusters that the sidecar of a pod has of the namespace's servers, as `PORT SERVER`. */
async function held(target = 'deployment/lazy'): Promise<string[]> {
  const admin = new ProxyAdmin(mesh, target);
  const dumped = await admin.config<ClusterDump>('dynamic_active_clusters', '^outbound');
  const found = dumped.flatMap(({ cluster }) => {
    const [, port, , host = ''] = cluster.name.split('|');
    const [name, namespace] = host.split('.');
    return namespace === mesh.name ? [`${port} ${name}`] : [];
  });
  return found.sort();
}

clusterTest('a pod that asks for eager loading has all that it may call from its start', [mesh], async () => {
  const all = SERVERS.flatMap((name) => [80, 81, 90].map((port) => `${port} ${name}`)).sort();
  expect(await held('deployment/eager')).toEqual(expect.arrayContaining(all));
  const reports = await eager.plan(SERVERS.map((name) => ({ url: `http://${name}/`, count: 5 })));
  expect(reports.map(({ ok }) => ok)).toEqual([5, 5, 5, 5]);
});

describe('a pod whose sidecar is sent clusters on demand, which is the default', () => {
  clusterTest('starts without any, and loses no first connection of TCP', [mesh], async () => {
    expect(await held()).toEqual([]);
    const [tcp] = await lazy.plan([{ url: 'tcp://first:90', count: 5 }]);
    expect(tcp?.ok).toBe(5);
    expect(await held()).toEqual(['90 first']);
  });

  clusterTest('loses no first request of any protocol, and has what they used', [mesh], async () => {
    const reports = await lazy.plan([
      { url: 'http://first/', count: 20 },
      { url: 'ws://second/', protocol: 'websocket', count: 3 },
      { url: 'http://third:81/', protocol: 'grpc', count: 5 },
      { url: 'http://third:81/testbed.Echo/Stream', protocol: 'grpc', count: 3 },
    ]);
    expect(reports.map(({ ok, statuses }) => ok + (statuses[101] ?? 0))).toEqual([20, 3, 5, 3]);
    expect(reports[0]?.answers[0]?.echo?.headers['x-forwarded-client-cert']).toContain('/sa/lazy');
    expect(await held()).toEqual(['80 first', '80 second', '81 third', '90 first']);
  });

  clusterTest('has policies in force that stand in clusters which it does not have', [mesh], async () => {
    const spec = { host: 'fourth', exportTo: ['.'], trafficPolicy: { connectionPool: { tcp: { maxConnections: 7 } } } };
    await mesh.apply(networking('DestinationRule', 'fourth', spec));
    // Four servers and two clients.
    expect(await programmed(mesh, 'destinationrule', 'fourth')).toBe('in force on 6 of 6 proxies');
    const [report] = await lazy.plan([{ url: 'http://fourth/', count: 5 }]);
    expect(report?.ok).toBe(5);
    await waitUntil('the cluster of the fourth', async () => {
      const names = await held();
      return names.includes('80 fourth') ? undefined : names.join(', ');
    });
  });

  clusterTest('has at its start what the pod before it used, and waits for none of it', [mesh], async () => {
    const used = await held();
    expect(used).toEqual(['80 first', '80 fourth', '80 second', '81 third', '90 first']);
    const [before] = await testbedPods(mesh, 'app=lazy');
    await mesh.run('delete', 'pod', before?.name ?? '', '--wait=false');
    const successor = await waitFor('the next pod', async () => {
      const next = (await testbedPods(mesh, 'app=lazy')).find(({ name }) => name !== before?.name);
      if (next === undefined) throw new Error('there is none yet');
      return next;
    });
    await mesh.run('wait', '--for=condition=Ready', `pod/${successor.name}`, '--timeout=120s');
    expect(await held(successor.name)).toEqual(used);
    const [http, grpc] = await new Client(mesh, successor.name).plan([
      { url: 'http://first/', count: 5 },
      { url: 'http://third:81/', protocol: 'grpc', count: 5 },
    ]);
    expect([http?.ok, grpc?.ok]).toEqual([5, 5]);
    expect(await held(successor.name)).toEqual(used);
  });
});
