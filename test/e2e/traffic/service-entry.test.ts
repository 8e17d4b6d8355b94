import { isDeepStrictEqual } from 'node:util';
import { describe, expect } from '@jest/globals';
import { waitUntil } from '../../../hack/mesh/wait.ts';
import { credibleRange } from '../../feature/support/binomial.ts';
import { conditionMessage, programmed } from '../support/conditions.ts';
import { clusterSetup, clusterTest, useNamespace } from '../support/namespace.ts';
import { networking } from '../support/networking-object.ts';
import { ProxyAdmin } from '../support/proxy-admin.ts';
import { Client } from '../support/testbed-client.ts';
import { client, EAGER, HTTP_PORT, server, TCP_PORT, TLS_PORT, versionedServer } from '../support/testbed-objects.ts';
import { type TestbedPod, testbedPods } from '../support/testbed-pods.ts';

const mesh = useNamespace('entry');
const neighbour = useNamespace('entry-next');
const outside = useNamespace('legacy', {});
const all = [mesh, neighbour, outside];
const caller = new Client(mesh, 'deployment/caller');
const stranger = new Client(neighbour, 'deployment/caller');
/** Its sidecar answers its DNS questions. */
const asker = new Client(mesh, 'deployment/asker');
const admin = new ProxyAdmin(mesh, 'deployment/caller');

/** Addresses that lead nowhere (RFC 5737): who is answered there was answered by the mesh. */
const NOWHERE = '192.0.2.1';
const ELSEWHERE = '192.0.2.2';

const HTTP = { number: 80, name: 'http', protocol: 'HTTP', targetPort: HTTP_PORT };

/** Servers out of the mesh: one pod of each version. */
let v1: TestbedPod;
let v2: TestbedPod;

/** The pod of v1 has a name of its own in DNS, which is not that of a Service. */
const named = { apiVersion: 'v1', kind: 'Service', metadata: { name: 'names' } };
const podName = (): string => `web.names.${outside.name}.svc.cluster.local`;

clusterSetup(
  all,
  async () => {
    const versions = { v1: { podSpec: { hostname: 'web', subdomain: 'names' } }, v2: {} };
    await Promise.all([
      outside.apply(...versionedServer('legacy', versions), {
        ...named,
        spec: { clusterIP: 'None', selector: { app: 'legacy', version: 'v1' } },
      }),
      mesh.apply(
        ...client('caller', { annotations: EAGER }),
        ...client('asker', { annotations: { ...EAGER, 'heddle.dev/dns-capture': 'enabled' } }),
        ...server('vm', { version: 'pod' }),
      ),
      neighbour.apply(...client('caller', { annotations: EAGER })),
    ]);
    await Promise.all([
      ...['legacy-v1', 'legacy-v2'].map((name) => outside.rolledOut(name)),
      ...['caller', 'asker', 'vm'].map((name) => mesh.rolledOut(name)),
      neighbour.rolledOut('caller'),
    ]);
    const pods = await testbedPods(outside, 'app=legacy');
    const find = (version: string): TestbedPod => {
      const pod = pods.find(({ labels }) => labels.version === version);
      if (pod === undefined) throw new Error(`there is no pod of ${version}`);
      return pod;
    };
    v1 = find('v1');
    v2 = find('v2');
  },
  240_000,
);

/** A ServiceEntry that its own namespace alone sees, unless the spec says otherwise. */
const entry = (name: string, spec: object): object => networking('ServiceEntry', name, { exportTo: ['.'], ...spec });

describe('a ServiceEntry of servers out of the mesh', () => {
  clusterTest('STATIC: its host leads to its endpoints, on each of its ports', all, async () => {
    await mesh.apply(
      entry('static', {
        hosts: ['static.example'],
        addresses: [NOWHERE],
        location: 'MESH_EXTERNAL',
        resolution: 'STATIC',
        ports: [
          HTTP,
          { number: 8000, name: 'http-alt', protocol: 'HTTP', targetPort: HTTP_PORT },
          { number: 90, name: 'tcp', protocol: 'TCP', targetPort: TCP_PORT },
          { number: 443, name: 'tls', protocol: 'TLS', targetPort: TLS_PORT },
        ],
        endpoints: [{ address: v1.ip }, { address: v2.ip }],
      }),
    );
    // There are proxies in both namespaces; this is for those of one.
    expect(await programmed(mesh, 'serviceentry', 'static')).toBe('in force on 3 of 3 proxies');
    const headers = { host: 'static.example' };
    const reports = await caller.plan([
      { url: `http://${NOWHERE}/`, headers, count: 20 },
      // The Host alone tells where to, whatever the address.
      { url: `http://${ELSEWHERE}/`, headers, count: 20 },
      { url: `http://${NOWHERE}:8000/`, headers, count: 20 },
      { url: `tcp://${NOWHERE}:90`, count: 20 },
      { url: `https://${NOWHERE}/`, sni: 'static.example', count: 20 },
    ]);
    for (const { ok, versions, errors } of reports) {
      expect({ ok, errors }).toEqual({ ok: 20, errors: {} });
      expect(Object.keys(versions).sort()).toEqual(['v1', 'v2']);
    }
    const seen = reports[0]?.answers[0]?.echo;
    expect(seen?.headers.host).toBe('static.example');
    // Servers out of the mesh are told nothing of identities.
    expect(seen?.headers['x-forwarded-client-cert']).toBeUndefined();
    const clusters = await admin.endpoints('outbound|80||static.example');
    const hosts = clusters.get('outbound|80||static.example') ?? [];
    expect(hosts.map(({ address }) => address).sort()).toEqual([`${v1.ip}:8080`, `${v2.ip}:8080`].sort());
    expect(hosts.reduce((sum, { stats }) => sum + (stats.rq_total ?? 0), 0)).toBe(40);
    // Nobody else sees it.
    expect((await stranger.many(`http://${NOWHERE}/`, { headers, timeoutMs: 1500 })).ok).toBe(0);
  });

  clusterTest('DNS and DNS_ROUND_ROBIN: the sidecar looks names up', all, async () => {
    const endpoints = [{ address: `legacy.${outside.name}.svc.cluster.local`, ports: { http: 80 } }];
    const ports = [HTTP];
    await mesh.apply(
      entry('dns', { hosts: ['dns.example'], resolution: 'DNS', ports, endpoints }),
      entry('ring', { hosts: ['ring.example'], resolution: 'DNS_ROUND_ROBIN', ports, endpoints }),
      entry('own-name', {
        hosts: [podName()],
        resolution: 'DNS',
        ports: [{ number: HTTP_PORT, name: 'http', protocol: 'HTTP' }],
      }),
    );
    await Promise.all(['dns', 'ring', 'own-name'].map((name) => programmed(mesh, 'serviceentry', name)));
    // A sidecar has acknowledged a cluster before it has looked its names up.
    const clusters = ['outbound|80||dns.example', 'outbound|80||ring.example', `outbound|${HTTP_PORT}||${podName()}`];
    await waitUntil('names looked up', async () => {
      const found = await admin.endpoints('outbound|');
      const missing = clusters.filter((name) => (found.get(name) ?? []).length === 0);
      return missing.length === 0 ? undefined : missing.join();
    });
    const [dns, ring, own] = await caller.plan([
      { url: `http://${NOWHERE}/`, headers: { host: 'dns.example' }, count: 20, keepAlive: false },
      { url: `http://${NOWHERE}/`, headers: { host: 'ring.example' }, count: 20, keepAlive: false },
      { url: `http://${podName()}:${HTTP_PORT}/`, count: 10 },
    ]);
    expect([dns?.statuses, ring?.statuses]).toEqual([{ 200: 20 }, { 200: 20 }]);
    expect(own?.versions).toEqual({ v1: 10 });
    const counts = await admin.endpoints(`outbound|${HTTP_PORT}||${podName()}`);
    expect([...counts.values()].flat().map(({ address, stats }) => [address, stats.rq_total])).toEqual([
      [`${v1.ip}:8080`, 10],
    ]);
    await mesh.run('delete', 'serviceentry', 'own-name');
  });

  clusterTest('NONE: connections go where the client wanted, counted under the name', all, async () => {
    await mesh.apply(
      entry('chosen', {
        hosts: ['chosen.example'],
        addresses: [v1.ip, `${v2.ip}/32`],
        resolution: 'NONE',
        ports: [{ number: TCP_PORT, name: 'tcp', protocol: 'TCP' }],
      }),
    );
    await programmed(mesh, 'serviceentry', 'chosen');
    const held = caller.plan(
      [
        { url: `tcp://${v1.ip}:${TCP_PORT}`, count: 5, concurrency: 5, holdMs: 4000 },
        { url: `tcp://${v2.ip}:${TCP_PORT}`, count: 7, concurrency: 7, holdMs: 4000 },
      ],
      { concurrent: true },
    );
    // Envoy may have an address several times, and forgets it soon after its last connection.
    const wanted = { [`${v1.ip}:${TCP_PORT}`]: 5, [`${v2.ip}:${TCP_PORT}`]: 7 };
    await waitUntil('connections under the name', async () => {
      const found: Record<string, number> = {};
      for (const { address, stats } of [
        ...(await admin.endpoints(`outbound|${TCP_PORT}||chosen.example`)).values(),
      ].flat()) {
        found[address] = (found[address] ?? 0) + (stats.cx_total ?? 0);
      }
      return isDeepStrictEqual(found, wanted) ? undefined : JSON.stringify(found);
    });
    const [one, two] = await held;
    expect(one?.versions).toEqual({ v1: 5 });
    expect(two?.versions).toEqual({ v2: 7 });
  });

  clusterTest('a wildcard host takes TLS by the name in the handshake; an exact one goes before it', all, async () => {
    const ports = [{ number: 443, name: 'tls', protocol: 'TLS', targetPort: TLS_PORT }];
    await mesh.apply(
      entry('wild', { hosts: ['*.wild.example'], resolution: 'STATIC', ports, endpoints: [{ address: v2.ip }] }),
      entry('tame', { hosts: ['tame.wild.example'], resolution: 'STATIC', ports, endpoints: [{ address: v1.ip }] }),
    );
    await Promise.all(['wild', 'tame'].map((name) => programmed(mesh, 'serviceentry', name)));
    const [wild, tame, other] = await caller.plan([
      { url: `https://${ELSEWHERE}/`, sni: 'any.wild.example', count: 5 },
      { url: `https://${ELSEWHERE}/`, sni: 'tame.wild.example', count: 5 },
      // Not the mesh's: it goes to where the client wants, which is nowhere.
      { url: `https://${ELSEWHERE}/`, sni: 'wild.example', timeoutMs: 1500 },
    ]);
    expect(wild?.versions).toEqual({ v2: 5 });
    expect(wild?.answers[0]?.echo?.tls?.sni).toBe('any.wild.example');
    expect(tame?.versions).toEqual({ v1: 5 });
    expect(other?.ok).toBe(0);
  });

  clusterTest('routes with timeouts, faults and retries are for it as well', all, async () => {
    const route = [{ destination: { host: 'routed.example' } }];
    await mesh.apply(
      entry('routed', {
        hosts: ['routed.example'],
        resolution: 'STATIC',
        ports: [HTTP],
        endpoints: [{ address: v1.ip }],
      }),
      networking('VirtualService', 'routed', {
        hosts: ['routed.example'],
        exportTo: ['.'],
        http: [
          { match: [{ uri: { prefix: '/slow' } }], timeout: '0.5s', route },
          {
            match: [{ uri: { prefix: '/fault' } }],
            fault: { abort: { httpStatus: 418, percentage: { value: 100 } } },
            route,
          },
          { match: [{ uri: { prefix: '/again' } }], retries: { attempts: 3, retryOn: '5xx', backoff: '25ms' }, route },
          { route, retries: { attempts: 0 } },
        ],
      }),
    );
    await Promise.all([programmed(mesh, 'serviceentry', 'routed'), programmed(mesh, 'virtualservice', 'routed')]);
    const ask = (path: string) => ({ url: `http://${NOWHERE}${path}`, headers: { host: 'routed.example' } });
    const reports = await caller.plan([
      ask('/slow?delay=5000'),
      ask('/fault'),
      ask('/again?key=again&fail=2'),
      ask('/?key=once&fail=2'),
    ]);
    const [slow, fault, again, once] = reports.map(({ answers: [answer] }) => answer);
    expect(slow?.status).toBe(504);
    expect(slow?.ms).toBeGreaterThanOrEqual(500);
    expect(slow?.ms).toBeLessThan(4000);
    expect(fault?.status).toBe(418);
    expect(fault?.echo).toBeUndefined();
    expect([again?.status, again?.echo?.attempt]).toEqual([200, 3]);
    expect(once?.status).toBe(503);
  });

  clusterTest('TLS is begun by the sidecar: http in the pod, https on the way', all, async () => {
    await mesh.apply(
      entry('secure', {
        hosts: ['secure.example'],
        resolution: 'STATIC',
        ports: [{ ...HTTP, targetPort: TLS_PORT }],
        endpoints: [{ address: v1.ip }],
      }),
      networking('DestinationRule', 'secure', {
        host: 'secure.example',
        exportTo: ['.'],
        trafficPolicy: {
          portLevelSettings: [
            { port: { number: 80 }, tls: { mode: 'SIMPLE', sni: 'shown.example', insecureSkipVerify: true } },
          ],
        },
      }),
    );
    await Promise.all([programmed(mesh, 'serviceentry', 'secure'), programmed(mesh, 'destinationrule', 'secure')]);
    const { answers } = await caller.many(`http://${NOWHERE}/`, { headers: { host: 'secure.example' } });
    expect([answers[0]?.status, answers[0]?.body]).toEqual([200, undefined]);
    expect(answers[0]?.echo).toMatchObject({ protocol: '1.1', tls: { sni: 'shown.example' }, version: 'v1' });
  });
});

describe('workloads that are no pods', () => {
  const labels = { app: 'vm' };

  clusterTest('a ServiceEntry in the mesh selects pods and WorkloadEntries, by weight', all, async () => {
    await mesh.apply(
      entry('vm', {
        hosts: ['vm.internal.example'],
        location: 'MESH_INTERNAL',
        resolution: 'STATIC',
        ports: [HTTP],
        workloadSelector: { labels },
      }),
      networking('WorkloadEntry', 'old-vm', {
        address: v1.ip,
        labels: { ...labels, version: 'old' },
        weight: 3,
        locality: 'here/there/rack',
      }),
    );
    await Promise.all([programmed(mesh, 'serviceentry', 'vm'), programmed(mesh, 'workloadentry', 'old-vm')]);
    const cluster = 'outbound|80||vm.internal.example';
    const hosts = (await admin.endpoints(cluster)).get(cluster) ?? [];
    expect(hosts).toContainEqual(
      expect.objectContaining({ address: `${v1.ip}:8080`, weight: 3, locality: 'here/there/rack' }),
    );
    expect(hosts).toHaveLength(2);
    const count = 400;
    const headers = { host: 'vm.internal.example' };
    const [report, plain, safe] = await caller.plan([
      { url: `http://${NOWHERE}/`, headers, count },
      { url: `http://${NOWHERE}/`, headers, count: 20, answers: 20 },
      { url: 'http://vm/', count: 1 },
    ]);
    expect(report?.ok).toBe(count);
    const { least, most } = credibleRange(count, 0.75);
    expect(report?.versions.v1).toBeGreaterThanOrEqual(least);
    expect(report?.versions.v1).toBeLessThanOrEqual(most);
    // The pod is called with mutual TLS, which the machine without a sidecar would not understand.
    const certificates = new Map(
      plain?.answers.map(({ echo }) => [echo?.version, echo?.headers['x-forwarded-client-cert']]),
    );
    expect(certificates.get('pod')).toContain(`/ns/${mesh.name}/sa/caller`);
    expect(certificates.get('v1')).toBeUndefined();
    expect(safe?.ok).toBe(1);
  });

  clusterTest('a Kubernetes Service has WorkloadEntries beside its pods, and they have subsets', all, async () => {
    await mesh.apply(
      {
        apiVersion: 'v1',
        kind: 'Service',
        metadata: { name: 'mixed' },
        spec: { selector: labels, ports: [{ name: 'http', port: 80, targetPort: HTTP_PORT }] },
      },
      networking('DestinationRule', 'mixed', {
        host: 'mixed',
        exportTo: ['.'],
        subsets: [{ name: 'old', labels: { version: 'old' } }],
      }),
      networking('VirtualService', 'mixed', {
        hosts: ['mixed'],
        exportTo: ['.'],
        http: [
          { match: [{ uri: { prefix: '/old' } }], route: [{ destination: { host: 'mixed', subset: 'old' } }] },
          { route: [{ destination: { host: 'mixed' } }] },
        ],
      }),
    );
    await Promise.all([programmed(mesh, 'destinationrule', 'mixed'), programmed(mesh, 'virtualservice', 'mixed')]);
    const [both, old] = await caller.plan([
      { url: 'http://mixed/', count: 40 },
      { url: 'http://mixed/old', count: 10 },
    ]);
    expect(both?.ok).toBe(40);
    expect(Object.keys(both?.versions ?? {}).sort()).toEqual(['pod', 'v1']);
    expect(old?.versions).toEqual({ v1: 10 });
    await mesh.run('delete', 'workloadentry', 'old-vm');
    await conditionMessage(mesh, 'destinationrule', 'mixed', 'Accepted', 'True');
    await mesh.waitFor<Noted>('destinationrule', 'mixed', ({ status }) => {
      const message = status?.conditions?.find(({ type }) => type === 'Accepted')?.message ?? '';
      return message.includes('"old"') ? undefined : message;
    });
    const [left, gone] = await caller.plan([
      { url: 'http://mixed/', count: 20 },
      { url: 'http://mixed/old', count: 3 },
    ]);
    expect(left?.versions).toEqual({ pod: 20 });
    expect(gone?.statuses).toEqual({ 503: 3 });
  });
});

describe('several that claim one host', () => {
  const claim = (host: string, address: string): object => ({
    hosts: [host],
    resolution: 'STATIC',
    ports: [HTTP],
    endpoints: [{ address }],
  });

  clusterTest('namespaces that keep theirs to themselves each have their own', all, async () => {
    await mesh.apply(entry('private', claim('private.example', v1.ip)));
    await neighbour.apply(entry('private', claim('private.example', v2.ip)));
    await Promise.all([mesh, neighbour].map((space) => programmed(space, 'serviceentry', 'private')));
    const options = { headers: { host: 'private.example' }, count: 10 };
    expect((await caller.many(`http://${NOWHERE}/`, options)).versions).toEqual({ v1: 10 });
    expect((await stranger.many(`http://${NOWHERE}/`, options)).versions).toEqual({ v2: 10 });
    for (const space of [mesh, neighbour])
      await conditionMessage(space, 'serviceentry', 'private', 'Conflicted', 'False');
  });

  clusterTest('a claim captures nobody whom it is not exported to', all, async () => {
    const host = podName();
    await neighbour.apply(
      entry('claim', { ...claim(host, v2.ip), ports: [{ ...HTTP, number: HTTP_PORT }] }),
      entry('claim-address', {
        ...claim('taken.example', v2.ip),
        addresses: [`${v1.ip}/32`],
        ports: [{ number: TCP_PORT + 5, name: 'tcp', protocol: 'TCP', targetPort: TCP_PORT }],
      }),
    );
    await Promise.all(['claim', 'claim-address'].map((name) => programmed(neighbour, 'serviceentry', name)));
    const [taken, address] = await stranger.plan([
      { url: `http://${host}:${HTTP_PORT}/`, count: 5 },
      { url: `tcp://${v1.ip}:${TCP_PORT + 5}`, count: 5 },
    ]);
    expect(taken?.versions).toEqual({ v2: 5 });
    expect(address?.versions).toEqual({ v2: 5 });
    const [free, closed] = await caller.plan([
      { url: `http://${host}:${HTTP_PORT}/`, count: 5 },
      { url: `tcp://${v1.ip}:${TCP_PORT + 5}`, timeoutMs: 1500 },
    ]);
    expect(free?.versions).toEqual({ v1: 5 });
    expect(closed?.ok).toBe(0);
  });

  clusterTest(
    'of two in one namespace the younger is told who has the host, and a Service has it before all',
    all,
    async () => {
      const service = `vm.${mesh.name}.svc.cluster.local`;
      await mesh.apply(entry('first', claim('twice.example', v1.ip)));
      await programmed(mesh, 'serviceentry', 'first');
      // Ages are in whole seconds; names decide between equals.
      await mesh.apply(entry('second', claim('twice.example', v2.ip)));
      await neighbour.apply(entry('thief', claim(service, v2.ip)));
      expect(await conditionMessage(mesh, 'serviceentry', 'second', 'Conflicted', 'True')).toContain(
        `ServiceEntry ${mesh.name}/first is older and has "twice.example"`,
      );
      expect(await conditionMessage(neighbour, 'serviceentry', 'thief', 'Conflicted', 'True')).toContain(
        `Kubernetes Service ${mesh.name}/vm`,
      );
      const twice = await caller.many(`http://${NOWHERE}/`, { headers: { host: 'twice.example' }, count: 10 });
      expect(twice.versions).toEqual({ v1: 10 });
      expect((await stranger.many(`http://${service}/`, { count: 5 })).versions).toEqual({ pod: 5 });
      await mesh.run('delete', 'serviceentry', 'first');
      await conditionMessage(mesh, 'serviceentry', 'second', 'Conflicted', 'False');
      await programmed(mesh, 'serviceentry', 'second');
      const after = await caller.many(`http://${NOWHERE}/`, { headers: { host: 'twice.example' }, count: 10 });
      expect(after.versions).toEqual({ v2: 10 });
    },
  );
});

describe('DNS capture', () => {
  const madeUp = (name: string, address: string): object =>
    entry(name, {
      hosts: [`${name}.example`],
      resolution: 'STATIC',
      ports: [HTTP, { number: 90, name: 'tcp', protocol: 'TCP', targetPort: TCP_PORT }],
      endpoints: [{ address }],
    });

  clusterTest(
    'a made-up host is called by its name, in HTTP and TCP, and other names are what they were',
    all,
    async () => {
      await mesh.apply(madeUp('made-up', v1.ip), madeUp('invented', v2.ip));
      await Promise.all(['made-up', 'invented'].map((name) => programmed(mesh, 'serviceentry', name)));
      const specs = [
        { url: 'http://made-up.example/', count: 5 },
        { url: 'http://invented.example/', count: 5 },
        // Of plain TCP the address alone tells the two apart.
        { url: 'tcp://made-up.example:90', count: 5 },
        { url: 'tcp://invented.example:90', count: 5 },
      ];
      const ordinary = [
        { url: 'http://vm/', count: 5 },
        { url: `http://vm.${mesh.name}.svc.cluster.local/`, count: 5 },
        { url: `http://legacy.${outside.name}/`, count: 5 },
        { url: `http://${podName()}:${HTTP_PORT}/`, count: 5 },
      ];
      const reports = await asker.plan([...specs, ...ordinary, { url: 'http://no-such.example/' }]);
      expect(reports.slice(0, 4).map(({ versions }) => versions)).toEqual([{ v1: 5 }, { v2: 5 }, { v1: 5 }, { v2: 5 }]);
      expect(reports.slice(4, 8).map(({ ok }) => ok)).toEqual([5, 5, 5, 5]);
      expect(reports[8]?.errors).toEqual({ ENOTFOUND: 1 });
      // A pod that does not ask for it has the cluster's own DNS.
      const others = await caller.plan([...specs.map((spec) => ({ ...spec, count: 1 })), ...ordinary]);
      expect(others.slice(0, 4).map(({ errors }) => errors)).toEqual(specs.map(() => ({ ENOTFOUND: 1 })));
      expect(others.slice(4).map(({ ok }) => ok)).toEqual([5, 5, 5, 5]);
    },
  );
});

interface Noted {
  readonly status?: { readonly conditions?: readonly { readonly type: string; readonly message: string }[] };
}
