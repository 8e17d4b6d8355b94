import { describe, expect } from '@jest/globals';
import { waitUntil } from '../../../hack/mesh/wait.ts';
import { credibleRange } from '../../feature/support/binomial.ts';
import { programmed } from '../support/conditions.ts';
import { clusterSetup, clusterTest, useNamespace } from '../support/namespace.ts';
import { destinationRule } from '../support/networking-object.ts';
import { ProxyAdmin } from '../support/proxy-admin.ts';
import { Client, type ManyReport } from '../support/testbed-client.ts';
import { anotherService, CONTROL_PORT, client, EAGER, versionedServer } from '../support/testbed-objects.ts';
import { type TestbedPod, testbedPods } from '../support/testbed-pods.ts';

const mesh = useNamespace('balancing');
const caller = new Client(mesh, 'deployment/caller');
const admin = new ProxyAdmin(mesh, 'deployment/caller');

/** Hosts of the same three pods, so that each test has a rule of its own and all of them are in force at once. */
const HOSTS = ['turns', 'dice', 'by-header', 'by-cookie', 'by-query', 'by-address', 'fragile', 'near', 'shares'];
const balancer = (loadBalancer: object, more: object = {}): object => ({ trafficPolicy: { loadBalancer, ...more } });
const everywhere = { localityLbSetting: { enabled: false } };
const EJECTION_MS = 5000;
const outlierDetection = {
  consecutive5xxErrors: 3,
  interval: '500ms',
  baseEjectionTime: `${EJECTION_MS}ms`,
  maxEjectionPercent: 100,
};
/** Kept apart from the others: the caller's Envoy is not to know its pods. */
const LEFT_ALONE = 'left-alone';
const RULES: readonly [host: string, spec: object][] = [
  ['turns', balancer({ simple: 'ROUND_ROBIN' })],
  ['dice', balancer({ simple: 'RANDOM' })],
  ['by-header', balancer({ consistentHash: { httpHeaderName: 'x-user' } })],
  ['by-cookie', balancer({ consistentHash: { httpCookie: { name: 'place', ttl: '3600s' } } })],
  ['by-query', balancer({ consistentHash: { httpQueryParameterName: 'user' } })],
  ['by-address', balancer({ consistentHash: { useSourceIp: true } })],
  ['fragile', balancer({ simple: 'ROUND_ROBIN', ...everywhere }, { outlierDetection })],
  ['near', { trafficPolicy: { outlierDetection: { ...outlierDetection, baseEjectionTime: '8s' } } }],
  [LEFT_ALONE, balancer({ simple: 'PASSTHROUGH' })],
  [
    'shares',
    balancer({
      localityLbSetting: { distribute: [{ from: 'r1/z1/*', to: { 'r1/z1/*': 70, 'r1/z2/*': 20, 'r2/*': 10 } }] },
    }),
  ],
];

clusterSetup(
  [mesh],
  async () => {
    const place = (locality: string) => ({ labels: { 'istio-locality': locality } });
    await mesh.apply(
      ...versionedServer('reviews', { v1: place('r1.z1'), v2: place('r1.z2'), v3: place('r2.z1') }),
      ...client('caller', { ...place('r1.z1'), annotations: EAGER }),
      ...[...HOSTS, LEFT_ALONE].map((host) => anotherService(host, 'reviews')),
      ...RULES.map(([host, spec]) => destinationRule(host, { host, ...spec })),
    );
    await Promise.all(['reviews-v1', 'reviews-v2', 'reviews-v3', 'caller'].map((name) => mesh.rolledOut(name)));
    await Promise.all(RULES.map(([host]) => programmed(mesh, 'destinationrule', host)));
    await settled();
  },
  240_000,
);

/** Waits until the caller's Envoy knows all pods of every host, and no others. */
async function settled(): Promise<void> {
  await waitUntil('the endpoints of all hosts', async () => {
    const wanted = (await testbedPods(mesh, 'app=reviews')).map(({ ip }) => `${ip}:8080`).sort();
    if (wanted.length !== 3) return `${wanted.length} pods`;
    const clusters = await admin.endpoints('outbound|80||');
    return HOSTS.find((host) => {
      const known = clusters.get(`outbound|80||${host}.${mesh.name}.svc.cluster.local`) ?? [];
      return (
        known
          .map(({ address }) => address)
          .sort()
          .join() !== wanted.join()
      );
    });
  });
}

/** Who answered, one request after the other. */
const sequence = ({ trace = [] }: ManyReport): string[] => trace.map(({ pod = '' }) => pod);

describe('loadBalancer', () => {
  clusterTest('ROUND_ROBIN takes turns, and RANDOM does not', [mesh], async () => {
    const count = 600;
    const [turns, dice] = await caller.plan([
      { url: 'http://turns/', count: 60, trace: true },
      { url: 'http://dice/', count, trace: true },
    ]);
    const order = sequence(turns);
    expect(new Set(order.slice(0, 3)).size).toBe(3);
    expect(order.filter((pod, i) => i >= 3 && pod !== order[i - 3])).toEqual([]);
    const { least, most } = credibleRange(count, 1 / 3);
    expect(Object.values(dice.pods)).toHaveLength(3);
    for (const share of Object.values(dice.pods)) {
      expect(share).toBeGreaterThanOrEqual(least);
      expect(share).toBeLessThanOrEqual(most);
    }
    const thrown = sequence(dice);
    expect(thrown.filter((pod, i) => i > 0 && pod === thrown[i - 1]).length).toBeGreaterThanOrEqual(
      credibleRange(count - 1, 1 / 3).least,
    );
  });

  clusterTest('PASSTHROUGH goes where the caller was led, by mutual TLS as ever', [mesh], async () => {
    const count = 60;
    const report = await caller.many(`http://${LEFT_ALONE}/`, { count, concurrency: 3 });
    expect(report.ok).toBe(count);
    expect(report.answers[0]?.echo?.headers['x-forwarded-client-cert']).toContain('/sa/caller');
    // One address, the Service's own: which pod it is kube-proxy says.
    const service = await mesh.get<{ spec: { clusterIP: string } }>('service', LEFT_ALONE);
    const cluster = `outbound|80||${LEFT_ALONE}.${mesh.name}.svc.cluster.local`;
    const known = (await admin.endpoints(cluster)).get(cluster) ?? [];
    expect(new Set(known.map(({ address }) => address))).toEqual(new Set([`${service?.spec.clusterIP}:80`]));
    // Each of Envoy's threads may have made an endpoint of it.
    expect(known.reduce((sum, { stats }) => sum + (stats.rq_total ?? 0), 0)).toBe(count);
  });

  clusterTest('localities get the shares that distribute says', [mesh], async () => {
    const count = 1000;
    const { versions, ok } = await caller.many('http://shares/', { count, concurrency: 4 });
    expect(ok).toBe(count);
    for (const [version, share] of [
      ['v1', 0.7],
      ['v2', 0.2],
      ['v3', 0.1],
    ] as const) {
      const { least, most } = credibleRange(count, share);
      expect(versions[version]).toBeGreaterThanOrEqual(least);
      expect(versions[version]).toBeLessThanOrEqual(most);
    }
  });
});

const USERS = 40;
const JARS = 5;

interface Placement {
  /** User → pod. */
  readonly users: ReadonlyMap<string, string>;
  readonly cookies: readonly string[];
}

/** Asks for every user three times where it lives; each must live in one place. @param cookies those of earlier, or none */
async function placement(cookies: readonly string[] = []): Promise<Placement> {
  const thrice = { count: USERS * 3, trace: true };
  const jars = Array.from({ length: JARS }, (_, i) => {
    const cookie = cookies[i];
    return {
      url: 'http://by-cookie/',
      count: 6,
      trace: true,
      ...(cookie === undefined ? { cookies: true } : { headers: { cookie } }),
    };
  });
  const [header, query, address, ...cookie] = await caller.plan([
    { url: 'http://by-header/', headers: { 'x-user': `user-{i%${USERS}}` }, ...thrice },
    { url: `http://by-query/?user=user-{i%${USERS}}`, ...thrice },
    { url: 'http://by-address/', count: 20, keepAlive: false, trace: true },
    ...jars,
  ]);
  const users = new Map<string, string>();
  const settle = (report: ManyReport, name: (index: number) => string): void => {
    expect(report.ok).toBe(report.sent);
    for (const [index, pod] of sequence(report).entries()) {
      const known = users.get(name(index));
      if (known === undefined) users.set(name(index), pod);
      else expect({ user: name(index), pod }).toEqual({ user: name(index), pod: known });
    }
  };
  settle(header, (index) => `header ${index % USERS}`);
  settle(query, (index) => `query ${index % USERS}`);
  settle(address, () => 'address');
  for (const [index, report] of cookie.entries()) settle(report, () => `cookie ${index}`);
  const given = cookie.map(({ answers: [first] }) => first?.headers?.['set-cookie']?.split(';', 1)[0] ?? '');
  return { users, cookies: cookies.length > 0 ? cookies : given };
}

/**
 * Lets a pod die and another come. Whoever lived in another pod stays there, or moves into the new one, which takes its share; who lived in the
 * dead one moves. Their requests go on meanwhile, and none is lost.
 */
async function survives(before: Placement, victim: string): Promise<Placement> {
  const [evicted] = [...before.users].find(([user, pod]) => user.startsWith('header') && pod === victim) ?? [];
  const headers = { 'x-user': `user-${evicted?.split(' ')[1]}`, 'x-key': victim };
  const meanwhile = caller.many('http://by-header/', { count: 120, gapMs: 50, headers, trace: true });
  const dying = (await testbedPods(mesh, 'app=reviews')).filter(({ name }) => name === victim);
  await waitUntil('requests at the pod that is to die', async () => {
    const [seen] = await caller.seen(dying, victim);
    return seen?.count ? undefined : 'none';
  });
  await mesh.run('delete', 'pod', victim, '--wait=false');
  await settled();
  const traced = await meanwhile;
  expect(traced.ok).toBe(traced.sent);
  // Out of the dead one, and perhaps on into the new one.
  const places = sequence(traced).filter((pod, i, all) => pod !== all[i - 1]);
  expect(places[0]).toBe(victim);
  expect(places.length).toBeLessThanOrEqual(3);
  expect(places.slice(1)).not.toContain(victim);

  const pods = (await testbedPods(mesh, 'app=reviews')).map(({ name }) => name);
  const [newcomer = ''] = pods.filter((name) => ![...before.users.values()].includes(name));
  const after = await placement(before.cookies);
  const others = [...before.users].filter(([, pod]) => pod !== victim);
  const moved = others.filter(([user, pod]) => after.users.get(user) !== pod);
  expect(moved.filter(([user]) => after.users.get(user) !== newcomer)).toEqual([]);
  expect(moved.length).toBeLessThan(others.length);
  return after;
}

describe('consistentHash', () => {
  clusterTest(
    'by header, cookie, query and address keeps users where they are while pods die and come',
    [mesh],
    async () => {
      const first = await placement();
      expect(new Set(first.users.values()).size).toBe(3);
      expect(first.cookies.filter((cookie) => !cookie.startsWith('place='))).toEqual([]);
      const home = first.users.get('address') ?? '';
      const [other = ''] = [...first.users.values()].filter((pod) => pod !== home);
      const second = await survives(first, other);
      const third = await survives(second, second.users.get('address') ?? '');
      expect(third.users.get('address')).not.toBe(second.users.get('address'));
    },
  );

  clusterTest('by cookie gives one to those who have none, for as long as ttl says', [mesh], async () => {
    const { answers } = await caller.many('http://by-cookie/', { count: 1, answers: 1 });
    expect(answers[0]?.headers?.['set-cookie']).toMatch(/^place="?[^;]+; Max-Age=3600/i);
    const known = await caller.many('http://by-cookie/', { headers: { cookie: 'place=here' } });
    expect(known.answers[0]?.headers?.['set-cookie']).toBeUndefined();
  });
});

const versionPods = async (...versions: string[]): Promise<TestbedPod[]> =>
  testbedPods(mesh, `app=reviews,version in (${versions.join()})`);

/** A step of a plan that changes how the first of the pods behaves: between two others, however slow an exec is. */
const set = ([pod]: readonly TestbedPod[], change: Readonly<Record<string, string>>) => ({
  url: `http://${pod?.ip}:${CONTROL_PORT}/admin?${new URLSearchParams(change)}`,
  method: 'POST',
});

describe('outlierDetection', () => {
  clusterTest('a pod that fails gets nothing until its time is over, and then its share again', [mesh], async () => {
    const bad = await versionPods('v2');
    const ask = { url: 'http://fragile/', trace: true };
    const [, failing, , healed] = await caller.plan([
      set(bad, { errors: '1', status: '500' }),
      { ...ask, count: 45, gapMs: 10 },
      set(bad, { errors: '0' }),
      { ...ask, count: 350, gapMs: 20 },
    ]);
    // Three in a row; one more may be under way before word of it gets around.
    expect(failing.statuses['500']).toBeGreaterThanOrEqual(3);
    expect(failing.statuses['500']).toBeLessThanOrEqual(4);
    expect(healed.ok).toBe(healed.sent);
    const ejectedAt = failing.trace?.findLast(({ outcome }) => outcome === '500')?.atMs ?? 0;
    const { trace = [] } = healed;
    const first = trace.findIndex(({ version }) => version === 'v2');
    const out = failing.seconds * 1000 - ejectedAt + (trace[first]?.atMs ?? 0);
    expect(out).toBeGreaterThanOrEqual(EJECTION_MS);
    expect(out).toBeLessThan(EJECTION_MS + 2000);
    const since = trace.slice(first);
    expect(since.filter(({ version }) => version === 'v2').length).toBeGreaterThanOrEqual(Math.floor(since.length / 3));
  });

  clusterTest(
    'traffic stays in its zone, goes to the next zone and region as they fail, and comes back',
    [mesh],
    async () => {
      const ask = { url: 'http://near/', count: 40, gapMs: 5 };
      const [zone, region] = [await versionPods('v1'), await versionPods('v2')];
      // Envoy takes in a second ejection when a second has gone by since the first.
      const find = { ...ask, count: 30, gapMs: 50 };
      const [here, , , nextZone, , , nextRegion] = await caller.plan([
        ask,
        set(zone, { errors: '1' }),
        find,
        ask,
        set(region, { errors: '1' }),
        find,
        ask,
      ]);
      expect(here?.versions).toEqual({ v1: 40 });
      expect(nextZone?.versions).toEqual({ v2: 40 });
      expect(nextRegion?.versions).toEqual({ v3: 40 });
      await caller.behave([...zone, ...region], { errors: false });
      await waitUntil('the own zone again', async () => {
        const { versions } = await caller.many(ask.url, { count: 10 });
        return versions.v1 === 10 ? undefined : JSON.stringify(versions);
      });
      expect((await caller.many(ask.url, ask)).versions).toEqual({ v1: 40 });
    },
  );
});
