import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import type { DestinationRule } from '../../api/destination-rule.ts';
import type { EventDetails, EventSubject } from '../../kube/event-recorder.ts';
import { eventually } from '../../kube/testing/memory-api.ts';
import { issueCertificate } from '../../test/e2e/testbed/certificate.ts';
import { type ProxyIdentity, SECRET_TYPE } from '../xds/resource.ts';
import { credentialEvents } from './credential-events.ts';
import { CredentialReader } from './credential-reader.ts';
import { type CredentialNews, type CredentialSettings, CredentialSource } from './credential-source.ts';
import { SecretApi } from './testing/secret-api.ts';

const SECRET = 'secrets/shop/db';
const proxy = (uid: string, serviceAccount = 'client'): ProxyIdentity => ({
  uid,
  podName: uid,
  namespace: 'shop',
  serviceAccount,
});

describe('CredentialSource', () => {
  let api: SecretApi;
  let news: CredentialNews[];
  const cleanups: (() => unknown)[] = [];

  beforeEach(async () => {
    api = new SecretApi();
    news = [];
  });
  afterEach(async () => {
    for (const cleanup of cleanups.splice(0).reverse()) await cleanup();
  });

  const put = (): void => {
    const { cert, key } = issueCertificate({ commonName: 'db' });
    api.put(SECRET, { 'tls.crt': cert, 'tls.key': key });
  };

  async function start(settings: Partial<CredentialSettings> = {}): Promise<CredentialSource> {
    const reader = new CredentialReader(await api.start(), 'heddle-system');
    const times = { pollMs: 40, retryMs: 20, roundMs: 50, ...settings };
    const source = new CredentialSource({ reader, tell: (one) => void news.push(one), settings: times });
    cleanups.push(
      () => api.stop(),
      () => source.stop(),
    );
    return source;
  }

  /** A stream as `ads` has it: looks up what changed. */
  function connect(source: CredentialSource, of: ProxyIdentity, secret = 'kubernetes://db') {
    const versions: (string | undefined)[] = [];
    const look = () => {
      const version = source.lookup(of, secret)?.version;
      if (!source.isPending(of, secret) && (versions.length === 0 || versions.at(-1) !== version))
        versions.push(version);
    };
    const disconnect = source.onChange((change) => {
      if (change.affected(of)?.get(SECRET_TYPE)?.has(secret)) look();
    });
    look();
    return { versions, disconnect };
  }

  test('serves what is there, to the accounts that may have it', async () => {
    put();
    api.grant(SECRET, 'shop', 'client');
    const source = await start();
    const [one, two, stranger] = [proxy('a'), proxy('b'), proxy('c', 'other')].map((of) => connect(source, of));
    await eventually(() => [one, two, stranger].every((stream) => stream?.versions.length === 1));
    expect(one?.versions[0]).toBeDefined();
    expect(two?.versions).toEqual(one?.versions);
    expect(stranger?.versions).toEqual([undefined]);
    expect(source.size).toBe(2);
  });

  test('follows the Secret: made, rotated, broken, taken away', async () => {
    const source = await start();
    api.grant(SECRET, 'shop', 'client');
    const { versions } = connect(source, proxy('a'));
    await eventually(() => versions.length === 1);
    put();
    await eventually(() => versions.length === 2, 'made');
    put();
    await eventually(() => versions.length === 3, 'rotated');
    api.put(SECRET, {});
    await eventually(() => news.at(-1)?.problem?.includes('has no tls.crt') === true, 'broken');
    api.broken = 503;
    await new Promise((resolve) => setTimeout(resolve, 100));
    expect(versions).toHaveLength(3);
    api.broken = undefined;
    api.remove(SECRET);
    await eventually(() => versions.length === 4, 'taken away');
    expect(versions.map((version) => version !== undefined)).toEqual([false, true, true, false]);
    expect(new Set(versions).size).toBe(3);
  });

  test('tells a problem once while it lasts, and its end', async () => {
    put();
    const source = await start();
    connect(source, proxy('a'));
    await eventually(() => api.requests.length > 4);
    expect(news.map(({ problem }) => problem?.includes('may not get'))).toEqual([true]);
    api.grant(SECRET, 'shop', 'client');
    await eventually(() => news.length === 2);
    expect(news[1]).toEqual({ namespace: 'shop', credential: 'kubernetes://db', problem: undefined });
  });

  test('tells of no end before the last part is there', async () => {
    const source = await start();
    api.grant(SECRET, 'shop', 'client');
    for (const secret of ['kubernetes://db', 'kubernetes://db-cacert']) connect(source, proxy('a'), secret);
    await eventually(() => news.length === 2);
    put();
    await eventually(() => news.length === 3);
    expect(news[2]?.problem).toMatch(/has no ca.crt/);
    const { cert, key } = issueCertificate({ commonName: 'db' });
    api.put(SECRET, { 'tls.crt': cert, 'tls.key': key, 'ca.crt': cert });
    await eventually(() => news.length === 4);
    expect(news[3]?.problem).toBeUndefined();
  });

  test('forgets what no stream asks for any more, and asks the API server no more', async () => {
    const source = await start();
    const [one, two] = [connect(source, proxy('a')), connect(source, proxy('b'))];
    one.disconnect();
    await new Promise((resolve) => setTimeout(resolve, 400));
    expect(source.size).toBe(1);
    two.disconnect();
    await eventually(() => source.size === 0);
    await new Promise((resolve) => setTimeout(resolve, 100));
    const asked = api.requests.length;
    await new Promise((resolve) => setTimeout(resolve, 100));
    expect(api.requests.length).toBe(asked);
  });

  test('holds no more than its bounds, and says what it turned away', async () => {
    const source = await start({ perAccount: 2, total: 3 });
    for (const name of ['a', 'b', 'c', 'd']) source.lookup(proxy('a'), `kubernetes://${name}`);
    for (const name of ['a', 'b']) source.lookup(proxy('b', 'other'), `kubernetes://${name}`);
    expect(source.size).toBe(3);
    expect(news.map(({ credential, problem }) => [credential, problem?.split(' ').slice(0, 2).join(' ')])).toEqual([
      ['kubernetes://c', 'ServiceAccount shop/client'],
      ['kubernetes://b', 'the mesh'],
    ]);
    expect(source.isPending(proxy('a'), 'kubernetes://c')).toBe(false);
  });

  test('takes no other name for a credential', async () => {
    const source = await start();
    for (const name of ['default', 'ROOTCA', 'kubernetes://other/db', '__proto__']) {
      expect(source.lookup(proxy('a'), name)).toBeUndefined();
      expect(source.isPending(proxy('a'), name)).toBe(false);
    }
    expect(source.size).toBe(0);
  });
});

describe('Events of credentials', () => {
  const rule = (name: string, namespace: string, trafficPolicy: object, subsets: object[] = []): DestinationRule => ({
    apiVersion: 'networking.istio.io/v1',
    kind: 'DestinationRule',
    metadata: { name, namespace },
    // Any shape of spec may be in the store; what is wrong with it is told elsewhere.
    spec: { host: 'db', trafficPolicy, subsets } as NonNullable<DestinationRule['spec']>,
  });
  const tls = (credentialName: string): object => ({ tls: { mode: 'MUTUAL', credentialName } });

  test('are about the rules of the namespace that name it, wherever they do', () => {
    const events: [EventSubject, EventDetails][] = [];
    const rules = [
      rule('plain', 'shop', tls('db')),
      rule('full', 'shop', tls('kubernetes://db')),
      rule('port', 'shop', { portLevelSettings: [{ port: { number: 1 }, ...tls('db') }] }),
      rule('subset', 'shop', {}, [{ name: 'v1', trafficPolicy: tls('db') }]),
      rule('other', 'shop', tls('other')),
      rule('map', 'shop', tls('configmap://db')),
      rule('elsewhere', 'bank', tls('db')),
      rule('broken', 'shop', { tls: 7 }),
    ];
    const tell = credentialEvents({ record: (subject, details) => void events.push([subject, details]) }, () => rules);
    tell({ namespace: 'shop', credential: 'kubernetes://db', problem: 'Secret shop/db is not there' });
    expect(events.map(([{ metadata }]) => metadata?.name)).toEqual(['plain', 'full', 'port', 'subset']);
    expect(events[0]?.[1]).toEqual({
      type: 'Warning',
      reason: 'CredentialNotFound',
      message: 'Secret shop/db is not there',
    });
    tell({ namespace: 'shop', credential: 'configmap://db', problem: undefined });
    expect(events.at(-1)?.[1]).toMatchObject({ type: 'Normal', reason: 'CredentialServed' });
  });
});
