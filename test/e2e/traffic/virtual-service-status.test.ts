import { describe, expect } from '@jest/globals';
import { stringify } from 'yaml';
import { waitUntil } from '../../../hack/mesh/wait.ts';
import { condition, conditionMessage, programmed } from '../support/conditions.ts';
import { clusterSetup, clusterTest, useNamespace } from '../support/namespace.ts';
import { expectShare } from '../support/share.ts';
import { Client, type RequestSpec } from '../support/testbed-client.ts';
import { client, versionedServer } from '../support/testbed-objects.ts';
import { testbedPods } from '../support/testbed-pods.ts';
import {
  alias,
  destination,
  marked,
  RuleBook,
  ruleOf,
  SERVER,
  shares,
  subsetsOf,
  to,
  virtualService,
} from '../support/virtual-service-objects.ts';

const home = useNamespace('rules');
const abroad = useNamespace('abroad');
const caller = new Client(home, 'deployment/caller');
const foreigner = new Client(abroad, 'deployment/caller');
const book = new RuleBook();

const prefix = (path: string): { match: object[] } => ({ match: [{ uri: { prefix: path } }] });

/** How often the pods of a version saw requests with each of the keys. */
async function seen(keys: readonly string[], version = 'v1'): Promise<number[]> {
  const pods = await testbedPods(home, `app=${SERVER},version=${version}`);
  const counts = await Promise.all(keys.map((key) => caller.seen(pods, key)));
  return counts.map((reports) => reports.reduce((sum, { count }) => sum + count, 0));
}

clusterSetup(
  [home, abroad],
  async () => {
    await Promise.all([
      home.apply(...versionedServer(SERVER, ['v1', 'v2']), ...client('caller'), subsetsOf(SERVER), ...book.objects),
      abroad.apply(
        ...client('caller'),
        virtualService('private', {
          hosts: [`private.${home.name}.svc.cluster.local`],
          exportTo: ['.'],
          http: [{ directResponse: { status: 418 } }],
        }),
      ),
    ]);
    await Promise.all([`${SERVER}-v1`, `${SERVER}-v2`, 'caller'].map((name) => home.rolledOut(name)));
    await abroad.rolledOut('caller');
    for (const name of book.virtualServices) await programmed(home, 'virtualservice', name);
    await programmed(abroad, 'virtualservice', 'private');
  },
  240_000,
);

describe('failures', () => {
  const retry = (name: string, retries: object): object => ({ ...prefix(`/${name}`), retries, route: to('v1') });
  const grpc = (name: string, retries?: object): object => ({
    match: [{ headers: { 'x-case': { exact: name } } }],
    ...(retries && { retries }),
    route: to('v1'),
  });
  book.host('retried', {
    http: [
      retry('thrice', { attempts: 3, perTryTimeout: '2s', retryOn: '5xx' }),
      retry('never', { attempts: 0 }),
      retry('teapot', { attempts: 2, retryOn: '418' }),
      retry('slow', { attempts: 1, perTryTimeout: '0.3s', retryOn: '5xx' }),
      grpc('busy', { attempts: 2, retryOn: 'resource-exhausted' }),
      grpc('other', { attempts: 2, retryOn: 'cancelled,internal' }),
      { route: to('v1') },
    ],
  });

  clusterTest('retries are counted at the server, by status and by gRPC code', [home], async () => {
    const http = (path: string, query: string): RequestSpec => ({ url: `http://retried${path}?${query}` });
    const call = (headers: Readonly<Record<string, string>>): RequestSpec => ({
      url: 'http://retried:81/',
      protocol: 'grpc',
      headers,
    });
    const cases: [key: string, spec: RequestSpec, status: number, count: number][] = [
      ['mended', http('/thrice', 'fail=2&key=mended'), 200, 3],
      ['hopeless', http('/thrice', 'fail=9&key=hopeless'), 503, 4],
      ['never', http('/never', 'fail=1&key=never'), 503, 1],
      ['teapot', http('/teapot', 'fail=1&failStatus=418&key=teapot'), 200, 2],
      ['no-teapot', http('/teapot', 'fail=1&key=no-teapot'), 503, 1],
      ['slow', http('/slow', 'delay=3000&key=slow'), 504, 2],
      ['usual', http('/usual', 'fail=1&key=usual'), 503, 1],
      ['busy', call({ 'x-case': 'busy', 'x-fail': '2', 'x-fail-status': '8', 'x-key': 'busy' }), 0, 3],
      ['other', call({ 'x-case': 'other', 'x-fail': '1', 'x-fail-status': '8', 'x-key': 'other' }), 8, 1],
      ['usual-grpc', call({ 'x-fail': '1', 'x-key': 'usual-grpc' }), 0, 2],
    ];
    const reports = await caller.plan(cases.map(([, spec]) => spec));
    const counts = await seen(cases.map(([key]) => key));
    const found = cases.map(([key], i) => [key, Object.keys(reports[i]?.statuses ?? {}).join(), counts[i]]);
    expect(found).toEqual(cases.map(([key, , status, count]) => [key, String(status), count]));
  });

  book.host('faulty', {
    http: [
      { ...prefix('/timed'), timeout: '0.4s', route: to('v1') },
      {
        ...prefix('/both'),
        fault: {
          delay: { percentage: { value: 25 }, fixedDelay: '6s' },
          abort: { percentage: { value: 40 }, httpStatus: 418 },
        },
        route: to('v1'),
      },
      {
        match: [{ headers: { 'x-case': { exact: 'abort' } } }],
        fault: { abort: { percentage: { value: 100 }, grpcStatus: 'RESOURCE_EXHAUSTED' } },
        route: to('v1'),
      },
      { route: to('v1'), mirrors: [{ destination: destination('v2'), percentage: { value: 30 } }] },
    ],
  });

  clusterTest('a timeout ends what is slow, and faults are as many as they should be', [home], async () => {
    const [late, soon, both, aborted] = await caller.plan([
      { url: 'http://faulty/timed?delay=3000' },
      { url: 'http://faulty/timed' },
      { url: 'http://faulty/both', count: 400, concurrency: 80, trace: true },
      { url: 'http://faulty:81/', protocol: 'grpc', headers: { 'x-case': 'abort' }, count: 10 },
    ]);
    expect(late?.statuses).toEqual({ 504: 1 });
    expect(late?.latencyMs.max).toBeLessThan(2500);
    expect(soon?.statuses).toEqual({ 200: 1 });
    expectShare(both?.statuses[418], 400, 0.4);
    expect((both?.statuses[418] ?? 0) + (both?.statuses[200] ?? 0)).toBe(400);
    expectShare(both?.trace?.filter(({ ms }) => ms >= 6000).length, 400, 0.25);
    expect(aborted?.statuses).toEqual({ 8: 10 });
  });

  clusterTest('a share of the requests is mirrored, and whoever asked gets the answer of the one', [home], async () => {
    const { versions } = await caller.many('http://faulty/mirror?key=mirror', { count: 500, concurrency: 8 });
    expect(versions).toEqual({ v1: 500 });
    const [copies] = await seen(['mirror'], 'v2');
    expectShare(copies, 500, 0.3);
  });
});

describe('several VirtualServices', () => {
  book.host('delegating', {
    http: [
      { ...prefix('/team'), delegate: { name: 'team' }, headers: { response: { set: { 'x-root': 'here' } } } },
      { ...prefix('/lost'), delegate: { name: 'nobody' } },
      marked('rest', { uri: { prefix: '/' } }),
    ],
  });
  book.virtualService('team', {
    http: [marked('narrow', { uri: { prefix: '/team/a' } }, { route: to('v2') }), { name: 'wide', route: to('v1') }],
  });

  clusterTest('a delegate has rules of its own, and a missing one costs its own requests alone', [home], async () => {
    const plan = ['/team/a', '/team/b', '/lost', '/else'].map((path) => ({ url: `http://delegating${path}` }));
    const [narrow, wide, lost, rest] = await caller.plan(plan);
    expect([ruleOf(narrow), narrow?.versions]).toEqual(['narrow', { v2: 1 }]);
    expect([wide?.answers[0]?.headers?.['x-root'], wide?.versions]).toEqual(['here', { v1: 1 }]);
    expect([ruleOf(lost), ruleOf(rest)]).toEqual(['503', 'rest']);
    const problem = await condition(home, 'virtualservice', 'delegating', 'Accepted', 'False');
    expect(problem.reason).toBe('DelegateInvalid');
    expect(problem.message).toContain('spec.http[1].delegate');
    expect(problem.message).toContain(`${home.name}/nobody`);
    expect(await conditionMessage(home, 'virtualservice', 'team', 'Accepted', 'True')).toContain('delegating');
  });

  book.host('shared', { http: [marked('first', { uri: { prefix: '/both' } })] });
  book.virtualService('shared-younger', {
    hosts: ['shared'],
    http: [marked('second', { uri: { prefix: '/both' } }), marked('own', { uri: { prefix: '/own' } })],
  });

  clusterTest('two for one host are one, and the younger is told where the older wins', [home], async () => {
    const plan = ['/both', '/own'].map((path) => ({ url: `http://shared${path}` }));
    expect((await caller.plan(plan)).map(ruleOf)).toEqual(['first', 'own']);
    const message = await conditionMessage(home, 'virtualservice', 'shared-younger', 'Conflicted', 'True');
    expect(message).toContain('spec.http[0]');
    expect(message).toContain(`VirtualService ${home.name}/shared is older`);
    await condition(home, 'virtualservice', 'shared', 'Conflicted', 'False');
  });

  book.add(alias('private'));

  clusterTest('what another namespace keeps to itself captures nobody else', [home, abroad], async () => {
    const spec = { url: `http://private.${home.name}/`, count: 10 };
    expect((await caller.many(spec.url, spec)).statuses).toEqual({ 200: 10 });
    expect((await foreigner.many(spec.url, spec)).statuses).toEqual({ 418: 10 });
  });
});

describe('references', () => {
  book.host('broken', {
    http: [
      { ...prefix('/host'), route: [{ destination: { host: 'nowhere' } }] },
      {
        ...prefix('/half'),
        route: [
          { destination: destination('v1'), weight: 50 },
          { destination: destination('v9'), weight: 50 },
        ],
      },
      { route: to('v1') },
    ],
  });

  clusterTest('a missing host and a missing subset are named, and cost their own share alone', [home], async () => {
    const [host, half, rest] = await caller.plan([
      { url: 'http://broken/host', count: 5 },
      { url: 'http://broken/half', count: 200, concurrency: 4 },
      { url: 'http://broken/', count: 20 },
    ]);
    expect(host?.statuses).toEqual({ 503: 5 });
    expectShare(half?.statuses[503], 200, 0.5);
    expect((half?.statuses[503] ?? 0) + (half?.statuses[200] ?? 0)).toBe(200);
    expect(rest?.statuses).toEqual({ 200: 20 });
    const { reason, message } = await condition(home, 'virtualservice', 'broken', 'Accepted', 'False');
    expect(reason).toBe('DestinationNotFound');
    expect(message).toContain('spec.http[0].route[0].destination');
    expect(message).toContain(`nowhere.${home.name}.svc.cluster.local`);
    expect(message).toContain('spec.http[1].route[1].destination');
    expect(message).toContain('subset "v9"');
  });

  book.add(subsetsOf('parted'));
  book.host('parted', {
    http: [
      { ...prefix('/v2'), route: [{ destination: { host: 'parted', subset: 'v2' } }] },
      { route: [{ destination: { host: 'parted' } }] },
    ],
  });

  clusterTest('a DestinationRule may go while its subset is in use, and come back', [home], async () => {
    const plan = [
      { url: 'http://parted/v2', count: 10 },
      { url: 'http://parted/', count: 10 },
    ];
    const statuses = async () => (await caller.plan(plan)).map((report) => report.statuses);
    expect(await statuses()).toEqual([{ 200: 10 }, { 200: 10 }]);
    await home.run('delete', 'destinationrule', 'parted');
    const { reason, message } = await condition(home, 'virtualservice', 'parted', 'Accepted', 'False');
    expect([reason, message]).toEqual(['SubsetNotFound', expect.stringContaining('subset "v2"')]);
    // Clusters leave a proxy last, when its routes are settled, and that may be after the condition is written.
    await waitUntil('503 for the subset', async () => {
      const [gone, rest] = await statuses();
      expect(rest).toEqual({ 200: 10 });
      return gone?.[503] === 10 ? undefined : JSON.stringify(gone);
    });
    await home.apply(subsetsOf('parted'));
    await condition(home, 'virtualservice', 'parted', 'Accepted', 'True');
    await programmed(home, 'destinationrule', 'parted');
    const [v2] = await caller.plan(plan);
    expect([v2?.statuses, v2?.versions]).toEqual([{ 200: 10 }, { v2: 10 }]);
  });
});

describe('admission', () => {
  const tryRule = async (rule: object): Promise<{ code: number; stderr: string }> => {
    const input = stringify(virtualService('tried', { hosts: ['tried'], http: [rule, { route: to() }] }));
    return home.kubectl.try(['apply', '-n', home.name, '--dry-run=server', '-f', '-'], { input });
  };

  clusterTest('what cannot be right is refused, with the field', [home], async () => {
    const bad: [field: string, rule: object][] = [
      ['spec.http[0].route[0].weight', { ...prefix('/a'), route: shares(-1, 101) }],
      ['spec.http[0].route', { ...prefix('/a'), route: shares(0, 0) }],
      ['spec.http[0].retries.retryOn', { ...prefix('/a'), retries: { attempts: 1, retryOn: 'rain' }, route: to() }],
      ['spec.http[0].match[0].uri.regex', { match: [{ uri: { regex: '(' } }], route: to() }],
      ['spec.http[0]: must have one of route and delegate', { ...prefix('/a'), delegate: { name: 'b' }, route: to() }],
    ];
    for (const [field, rule] of bad) {
      const { code, stderr } = await tryRule(rule);
      expect([field, code]).toEqual([field, 1]);
      expect(stderr).toContain(field);
    }
  });

  clusterTest('what is dubious is accepted with a warning', [home], async () => {
    const dubious: [warning: string, rule: object][] = [
      ['Warning: spec.http[0].route: has weights that sum to 30', { ...prefix('/a'), route: shares(10, 20) }],
      ['Warning: spec.http[1]: is never used', { route: to() }],
    ];
    for (const [warning, rule] of dubious) {
      const { code, stderr } = await tryRule(rule);
      expect([warning, code]).toEqual([warning, 0]);
      expect(stderr).toContain(warning);
    }
  });
});
