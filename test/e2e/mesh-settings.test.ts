import { join } from 'node:path';
import { afterAll, describe, expect } from '@jest/globals';
import { waitUntil } from '../../hack/mesh/wait.ts';
import { ISSUER, testIssuer } from '../feature/support/test-tokens.ts';
import { conditionMessage } from './support/conditions.ts';
import { customPolicy, type ProviderSettings, providers } from './support/custom-authorization.ts';
import { keyServer } from './support/key-server.ts';
import { clusterSetup, clusterTest, useNamespace } from './support/namespace.ts';
import { withSettings } from './support/operator-settings.ts';
import { ProxyAdmin } from './support/proxy-admin.ts';
import { Client, type RequestSpec } from './support/testbed-client.ts';
import {
  anotherService,
  CONTROL_OUTSIDE_MESH,
  client,
  HTTP_PORT,
  server,
  TCP_PORT,
} from './support/testbed-objects.ts';
import { testbedPods } from './support/testbed-pods.ts';

const SAMPLE = join(import.meta.dirname, '../../config/samples/security/custom-authorization.yaml');
const KIND = 'authorizationpolicy';
const mesh = useNamespace('settings');
const outside = useNamespace('unknown', {});
const caller = new Client(mesh, 'deployment/caller');
const stranger = new Client(mesh, 'deployment/stranger');
const PROVIDERS: ProviderSettings = providers(mesh.name);
const issuer = testIssuer('RS256', 'first');
const allow = { 'x-verdict': 'allow' };

/** Puts the settings back; the operator is restarted for all of the tests together. */
let restore = async (): Promise<void> => {};

clusterSetup(
  [mesh, outside],
  async () => {
    const shown = { annotations: CONTROL_OUTSIDE_MESH };
    const down = anotherService('down', 'nobody');
    await Promise.all([
      mesh.apply(...['echo', 'ordering', 'shelf'].flatMap((name) => server(name)), down),
      mesh.apply(...server('judge', shown), ...client('caller', shown), ...client('stranger')),
      outside.apply(...server('legacy'), ...keyServer('keys', issuer)),
    ]);
    const names = ['echo', 'ordering', 'shelf', 'judge', 'caller', 'stranger'];
    await Promise.all([
      ...names.map((name) => mesh.rolledOut(name)),
      ...['legacy', 'keys'].map((name) => outside.rolledOut(name)),
    ]);
  },
  240_000,
);
afterAll(() => restore(), 150_000);

/** So many clients reach every worker of the caller's sidecar, each of which has connections of its own, and so many answers each of those. */
const MANY = { count: 48, concurrency: 16 };

/** Waits until a request is always answered so: each connection from before a change is under the rules of then for one answer more. */
async function answered(spec: RequestSpec, status: number): Promise<void> {
  await waitUntil(`${spec.url} to be answered ${status}`, async () => {
    const [{ statuses, errors }] = await caller.plan([{ ...spec, ...MANY }]);
    return statuses[status] === MANY.count ? undefined : JSON.stringify({ statuses, errors });
  });
}

async function ok(specs: readonly RequestSpec[]): Promise<number[]> {
  return (await caller.plan(specs)).map((report) => report.ok);
}

async function unknownHosts(): Promise<RequestSpec[]> {
  const [pod] = await testbedPods(outside, 'app=legacy');
  return [{ url: `http://${pod?.ip}:${HTTP_PORT}/` }, { url: `tcp://${pod?.ip}:${TCP_PORT}` }];
}
const KNOWN: RequestSpec[] = [{ url: 'http://echo/' }, { url: 'tcp://echo:90' }];

describe('with the settings as they come', () => {
  clusterTest('hosts that nobody knows are let through', [mesh, outside], async () => {
    expect(await ok([...KNOWN, ...(await unknownHosts())])).toEqual([1, 1, 1, 1]);
  });

  clusterTest(
    'what a policy asks a provider about that there is none of is denied, and it says so',
    [mesh],
    async () => {
      await mesh.run('apply', '-f', SAMPLE);
      await answered({ url: 'http://ordering/', headers: allow }, 403);
      expect((await caller.http('http://ordering/healthz')).status).toBe(200);
      expect(await conditionMessage(mesh, KIND, 'ordering-asks', 'Accepted', 'True')).toContain(
        'the mesh configuration has no provider "opa"',
      );
    },
  );
});

describe('with other settings', () => {
  clusterTest('REGISTRY_ONLY refuses hosts that nobody knows, and no others', [mesh, outside], async () => {
    const hosts = [...KNOWN, ...(await unknownHosts())];
    restore = await withSettings(mesh.kubectl, () => ({
      outboundTrafficPolicy: { mode: 'REGISTRY_ONLY' },
      extensionProviders: PROVIDERS,
      pathNormalization: { normalization: 'MERGE_SLASHES' },
      meshMTLS: { minProtocolVersion: 'TLSV1_2' },
    }));
    await waitUntil('unknown hosts are refused', async () => {
      const [, , http, tcp] = await ok(hosts);
      return http === 0 && tcp === 0 ? undefined : 'answered';
    });
    expect(await ok(hosts)).toEqual([1, 1, 0, 0]);
  });

  clusterTest('paths are normalised and TLS is taken as they say', [mesh], async () => {
    const about = { selector: { matchLabels: { app: 'echo' } }, action: 'DENY' };
    await mesh.apply({
      apiVersion: 'security.istio.io/v1',
      kind: 'AuthorizationPolicy',
      metadata: { name: 'no-b' },
      spec: { ...about, rules: [{ to: [{ operation: { paths: ['/a/b'] } }] }] },
    });
    await answered({ url: 'http://echo/a/b' }, 403);
    const [merged, other] = await caller.plan([{ url: 'http://echo//a///b' }, { url: 'http://echo/a/c' }]);
    expect([merged.statuses, other.statuses]).toEqual([{ 403: 1 }, { 200: 1 }]);
    const listener = await new ProxyAdmin(mesh, 'deployment/echo').get('/config_dump?resource=dynamic_listeners');
    expect(listener).toContain('"tls_minimum_protocol_version": "TLSv1_2"');
    await mesh.run('delete', KIND, 'no-b');
  });

  clusterTest('the sample asks its provider by gRPC about requests', [mesh], async () => {
    await answered({ url: 'http://ordering/', headers: allow }, 200);
    const url = 'http://ordering/items';
    const [passed, denied, left] = await caller.plan([
      { url, headers: { ...allow, 'x-user': 'root' } },
      { url },
      { url: 'http://ordering/healthz' },
    ]);
    expect(passed.answers[0]).toMatchObject({ status: 200, headers: { 'x-checked': 'grpc' } });
    expect(passed.answers[0]?.echo?.headers).toMatchObject({ 'x-user': 'bob' });
    expect(passed.answers[0]?.echo?.headers).not.toHaveProperty('x-verdict');
    expect(denied.answers[0]).toMatchObject({ status: 402, body: 'pay first', headers: { 'x-why': 'unpaid' } });
    expect(left.statuses).toEqual({ 200: 1 });
    const grpc = (headers: Record<string, string>) => ({
      url: 'http://ordering:81',
      protocol: 'grpc' as const,
      headers,
    });
    const [served, refused] = await caller.plan([grpc(allow), grpc({})]);
    expect([served.ok, refused.ok]).toEqual([1, 0]);
    expect(await conditionMessage(mesh, KIND, 'ordering-asks', 'Accepted', 'True')).not.toContain('not in force');
  });

  clusterTest('and about connections', [mesh], async () => {
    expect((await caller.tcp('ordering:90', 'ping')).body).toBe('ping');
    const { error, body } = await stranger.tcp('ordering:90', 'ping');
    expect({ body: body ?? '', refused: error !== undefined }).toEqual({ body: '', refused: true });
  });

  clusterTest('a provider is asked by HTTP, and who gets which headers is as it says', [mesh], async () => {
    await mesh.apply(customPolicy('login', 'shelf', 'login', { notPaths: ['/closed', '/status', '/open'] }));
    await answered({ url: 'http://shelf/' }, 401);
    const url = 'http://shelf/a?b=1';
    const [passed, denied] = await caller.plan([
      { url, headers: { ...allow, 'x-user': 'root', 'x-own': '1' } },
      { url },
    ]);
    expect(passed.answers[0]).toMatchObject({ status: 200, headers: { 'x-checked': 'http' } });
    expect(passed.answers[0]?.headers).not.toHaveProperty('x-why');
    expect(passed.answers[0]?.echo?.headers).toMatchObject({ 'x-user': 'ann', 'x-verdict': 'allow', 'x-own': '1' });
    expect(denied.answers[0]).toMatchObject({
      status: 401,
      body: 'asked GET /authorize/a?b=1',
      headers: { 'x-why': 'because' },
    });
    expect(denied.answers[0]?.headers).not.toHaveProperty('x-checked');
    // It is not told what was not named, and can't be asked about connections.
    expect((await caller.tcp('shelf:90', 'ping')).error).toBeDefined();
    expect(await conditionMessage(mesh, KIND, 'login', 'Accepted', 'True')).toContain('"login" is asked by HTTP');
  });

  clusterTest(
    'one that is down denies, unless it is to fail open; the conditions name all that are asked',
    [mesh],
    async () => {
      const paths = ['closed', 'status', 'open'];
      await mesh.apply(...paths.map((path) => customPolicy(path, 'shelf', `down-${path}`, { paths: [`/${path}`] })));
      await answered({ url: 'http://shelf/closed' }, 403);
      await answered({ url: 'http://shelf/status' }, 503);
      await answered({ url: 'http://shelf/open' }, 200);
      const told = await conditionMessage(mesh, KIND, 'open', 'Accepted', 'True');
      for (const other of ['"login"', '"down-closed"', '"down-status"']) expect(told).toContain(other);
      expect(told).toContain('all must allow');
    },
  );

  clusterTest('one that answers 5xx is down', [mesh], async () => {
    const judges = await testbedPods(mesh, 'app=judge');
    await caller.behave(judges, { errors: true });
    await answered({ url: 'http://shelf/', headers: allow }, 403);
    await answered({ url: 'http://ordering/', headers: allow }, 403);
    await caller.behave(judges, { errors: false });
    await answered({ url: 'http://shelf/', headers: allow }, 200);
    await answered({ url: 'http://ordering/', headers: allow }, 200);
  });

  clusterTest('one is not asked about questions to itself, and the condition names its pod', [mesh], async () => {
    await mesh.apply(customPolicy('judged', 'judge', 'opa', {}));
    await answered({ url: 'http://ordering/', headers: allow }, 403);
    const [judge] = await testbedPods(mesh, 'app=judge');
    expect(await conditionMessage(mesh, KIND, 'judged', 'Accepted', 'True')).toContain(
      `(${mesh.name}/${judge?.name} port 8081)`,
    );
    await mesh.apply(customPolicy('judged', 'judge', 'opa', { notPorts: ['8081'] }));
    await answered({ url: 'http://ordering/', headers: allow }, 200);
    // All else there it is asked about.
    await answered({ url: 'http://judge/' }, 402);
    await answered({ url: 'http://judge/', headers: allow }, 200);
  });
});

const asked = (token: string): RequestSpec => ({ url: 'http://echo/', headers: { authorization: `Bearer ${token}` } });
const forged = () => `${issuer.token().slice(0, -8)}AAAAAAAA`;

describe('keys of tokens', () => {
  const uri = () => `http://keys.${outside.name}.svc:80/`;

  clusterTest('are written down once they are fetched', [mesh, outside], async () => {
    await mesh.apply({
      apiVersion: 'security.istio.io/v1',
      kind: 'RequestAuthentication',
      metadata: { name: 'tokens' },
      spec: { selector: { matchLabels: { app: 'echo' } }, jwtRules: [{ issuer: ISSUER, jwksUri: uri() }] },
    });
    await answered(asked(forged()), 401);
    await answered(asked(issuer.token()), 200);
    await waitUntil('the keys in their ConfigMap', async () => {
      const { stdout } = await mesh.kubectl.try([
        'get',
        'configmap',
        '-n',
        'heddle-system',
        'heddle-jwks',
        '-o',
        'yaml',
      ]);
      return stdout.includes(uri()) ? undefined : stdout;
    });
    // From here on nobody serves them.
    await outside.run('delete', 'deployment,service', 'keys');
  });
});

describe('with the settings put back', () => {
  clusterTest('unknown hosts are let through again', [mesh, outside], async () => {
    const hosts = [...KNOWN, ...(await unknownHosts())];
    await restore();
    restore = async () => {};
    await waitUntil('unknown hosts are let through again', async () => {
      const counts = await ok(hosts);
      return counts.every((one) => one === 1) ? undefined : counts.join();
    });
    await answered({ url: 'http://ordering/', headers: allow }, 403);
  });

  clusterTest('the operator that came anew has the keys that nobody serves any more', [mesh, outside], async () => {
    await waitUntil('word of it', async () => {
      const message = await conditionMessage(mesh, 'requestauthentication', 'tokens', 'Accepted', 'True');
      return message.includes('the last ones stay in force') ? undefined : message;
    });
    const [good, bad] = await caller.plan([asked(issuer.token()), asked(forged())]);
    expect([good.statuses, bad.statuses]).toEqual([{ 200: 1 }, { 401: 1 }]);
  });
});
