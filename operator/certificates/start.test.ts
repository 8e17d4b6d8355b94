import { afterEach, describe, expect, test } from '@jest/globals';
import { parse } from 'yaml';
import type { EventDetails } from '../../kube/event-recorder.ts';
import {
  CONFIG_MAP,
  MUTATING_WEBHOOK_CONFIGURATION,
  NAMESPACE,
  SECRET,
  VALIDATING_WEBHOOK_CONFIGURATION,
} from '../../kube/kinds.ts';
import { KubeError } from '../../kube/kube-error.ts';
import { silentLogger } from '../../kube/logger.ts';
import type { KubeObject } from '../../kube/object.ts';
import { Reflector } from '../../kube/reflector.ts';
import { eventually, MemoryApi } from '../../kube/testing/memory-api.ts';
import type { CaSecret } from './ca-secret.ts';
import { DEFAULT_LIFETIMES, type Lifetimes } from './lifetimes.ts';
import { parseCertificates } from './pem.ts';
import { readOwnRoot } from './root-secret.ts';
import { type Certificates, startCertificates } from './start.ts';
import { foreignAuthority, SHORT, secretOf, userSecret } from './testing/chain.ts';

const cleanups: (() => unknown)[] = [];
afterEach(async () => {
  for (const cleanup of cleanups.splice(0).reverse()) await cleanup();
});

interface Data {
  metadata: object;
  data?: Record<string, string>;
  webhooks?: { clientConfig: { caBundle?: string } }[];
}

interface Replica extends Certificates {
  readonly reasons: string[];
  readonly lose: () => void;
}

async function replica(
  api: MemoryApi,
  options: { lead?: boolean; lifetimes?: Lifetimes; clockOffsetMs?: number } = {},
) {
  const namespaces = new Reflector<KubeObject>({ api, kind: NAMESPACE, backoffMs: [1, 5] });
  await namespaces.start();
  const reasons: string[] = [];
  const events = { record: (_: KubeObject, { reason }: EventDetails) => void reasons.push(reason) };
  const certificates = startCertificates({
    api: Object.assign(Object.create(api) as MemoryApi, bound(api), {
      transport: { clockOffsetMs: options.clockOffsetMs },
    }),
    namespace: 'heddle-system',
    lifetimes: options.lifetimes ?? DEFAULT_LIFETIMES,
    namespaces: namespaces.store,
    destinationRules: { list: () => [].values() },
    trustDomain: 'cluster.local',
    clusterDomain: 'cluster.local',
    events,
    logger: silentLogger,
  });
  const abort = new AbortController();
  if (options.lead ?? true) certificates.lead(abort.signal);
  cleanups.push(
    () => namespaces.stop(),
    () => certificates.stop(),
    () => abort.abort(),
  );
  return { ...certificates, reasons, lose: () => abort.abort() } satisfies Replica;
}

/** The methods, usable without their object. */
function bound(api: MemoryApi) {
  const { list, watch, create, update, apply, patch } = api;
  const remove = api.delete;
  return {
    list: list.bind(api),
    watch: watch.bind(api),
    create: create.bind(api),
    update: update.bind(api),
    apply: apply.bind(api),
    patch: patch.bind(api),
    delete: remove.bind(api),
  };
}

const CA = { namespace: 'heddle-system', name: 'heddle-ca' };
const readCa = (api: MemoryApi) => api.get<CaSecret>(SECRET, CA);
const decode = (text: string | undefined) => Buffer.from(text ?? '', 'base64').toString();
const ready = ({ authority }: Certificates) => authority.state !== undefined;

async function find(
  api: MemoryApi,
  kind: typeof SECRET,
  name: { namespace?: string; name: string },
): Promise<Data | undefined> {
  return api.get<Data>(kind, name).catch(() => undefined);
}

async function until<T>(read: () => Promise<T | undefined>, holds: (value: T) => boolean, what: string): Promise<T> {
  for (const deadline = performance.now() + 8000; performance.now() < deadline; ) {
    const value = await read();
    if (value !== undefined && holds(value)) return value;
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
  throw new Error(`${what} did not happen`);
}

describe('the root', () => {
  test('is made once, even when two replicas believe they lead', async () => {
    const api = new MemoryApi();
    const replicas = await Promise.all([replica(api), replica(api)]);
    await eventually(() => replicas.every(ready));
    expect(api.writes.filter((write) => write.startsWith('create Secret heddle-system/heddle-ca'))).toHaveLength(1);
    expect(new Set(replicas.map(({ authority }) => authority.generation)).size).toBe(1);
    expect(replicas.flatMap(({ reasons }) => reasons).filter((reason) => reason === 'RootCreated')).toHaveLength(1);
  });

  test('a replica that does not lead only reads, and says that it waits', async () => {
    const api = new MemoryApi();
    const follower = await replica(api, { lead: false });
    await eventually(() => follower.problem() === 'Secret heddle-ca does not exist yet');
    await replica(api);
    await eventually(() => ready(follower) && follower.problem() === undefined);
    await eventually(() => follower.server.current !== undefined);
  });

  test('survives the deletion of its Secret', async () => {
    const api = new MemoryApi();
    const leader = await replica(api);
    await eventually(() => ready(leader));
    const { generation } = leader.authority;
    await api.delete(SECRET, CA);
    await until(
      () => readCa(api).catch(() => undefined),
      () => true,
      'restoring',
    );
    expect(leader.authority.generation).toBe(generation);
    await eventually(() => leader.reasons.includes('RootRestored'));
  });

  test('is restored from memory when somebody overwrites the Secret with rubbish', async () => {
    const api = new MemoryApi();
    const leader = await replica(api);
    await eventually(() => ready(leader));
    const { generation } = leader.authority;
    await api.update(SECRET, secretOf('heddle-ca', { 'ca-cert.pem': 'rubbish' }));
    await eventually(() => leader.reasons.includes('RootRestored'));
    expect(leader.authority.generation).toBe(generation);
    expect(readOwnRoot(await readCa(api), Date.now()).phase).toBe('Stable');
  });

  test('is replaced with a warning when the Secret was broken before we came, and what is left stays trusted', async () => {
    const api = new MemoryApi();
    const first = await replica(api);
    await eventually(() => ready(first));
    first.lose();
    await first.stop();
    const secret = await readCa(api);
    const old = decode(secret.data?.['ca-cert.pem']);
    await api.update(SECRET, { ...secret, data: { ...secret.data, 'ca-key.pem': '' } });
    const second = await replica(api);
    await eventually(() => ready(second));
    expect(second.reasons).toContain('RootReplaced');
    expect(second.authority.trustBundle).toContain(old.trim());
    expect(second.authority.state?.roots).toHaveLength(2);
    // It goes once all that it signed is replaced.
    expect(second.authority.state?.phase).toBe('Issuing');
  });

  test('is not replaced for having expired when our own clock is off', async () => {
    const api = new MemoryApi();
    const { root, signing } = await foreignAuthority(true);
    await api.create(SECRET, { ...userSecret(root, signing), metadata: CA });
    const leader = await replica(api, { clockOffsetMs: -7_200_000 });
    await eventually(() => leader.reasons.includes('RootRefused'));
    expect(leader.problem()).toContain('expired');
    expect(api.writes.filter((write) => write.includes('heddle-ca'))).toHaveLength(1);
  });

  test('is what the user gives where there is one; a broken one is refused, not replaced', async () => {
    const api = new MemoryApi();
    await api.create(SECRET, secretOf('cacerts', { 'ca-cert.pem': 'rubbish' }));
    const leader = await replica(api);
    await eventually(() => leader.reasons.includes('RootRefused'));
    expect(leader.problem()).toContain('Secret cacerts: ca-cert.pem holds no certificate');
    expect(await find(api, SECRET, CA)).toBeUndefined();
    const { root, signing } = await foreignAuthority();
    await api.update(SECRET, userSecret(root, signing));
    await eventually(() => ready(leader));
    expect(leader.authority.trustBundle).toBe(root.toString());
  });
});

describe('trust ConfigMaps', () => {
  const trust = (api: MemoryApi, namespace: string) => find(api, CONFIG_MAP, { namespace, name: 'heddle-trust' });
  const namespace = (name: string, phase = 'Active') => ({ metadata: { name }, status: { phase } });

  test('are in every namespace that could hold a pod of the mesh, and follow it', async () => {
    const api = new MemoryApi();
    const present = ['shop', 'kube-system', 'heddle-system', 'istio-system'];
    for (const name of present) await api.create(NAMESPACE, namespace(name));
    await api.create(NAMESPACE, namespace('going', 'Terminating'));
    const leader = await replica(api);
    const map = await until(
      () => trust(api, 'shop'),
      () => true,
      'the ConfigMap',
    );
    expect(map.data?.['root-cert.pem']).toBe(leader.authority.trustBundle);
    expect(parse(map.data?.['trust.yaml'] ?? '')).toEqual({
      resources: [
        {
          '@type': 'type.googleapis.com/envoy.extensions.transport_sockets.tls.v3.Secret',
          name: 'heddle-xds-trust',
          validation_context: { trusted_ca: { inline_string: leader.authority.trustBundle } },
        },
      ],
    });
    await api.create(NAMESPACE, namespace('late'));
    await until(
      () => trust(api, 'late'),
      () => true,
      'the late one',
    );
    await api.delete(CONFIG_MAP, { namespace: 'shop', name: 'heddle-trust' });
    await until(
      () => trust(api, 'shop'),
      () => true,
      'its return',
    );
    await api.patch(CONFIG_MAP, { namespace: 'shop', name: 'heddle-trust' }, 'merge', {
      data: { 'root-cert.pem': 'x' },
    });
    await until(
      () => trust(api, 'shop'),
      ({ data }) => data?.['root-cert.pem'] === leader.authority.trustBundle,
      'its repair',
    );
    for (const name of ['kube-system', 'heddle-system', 'istio-system', 'going'])
      expect(await trust(api, name)).toBeUndefined();
  });

  test('one namespace that refuses holds up no other', async () => {
    const api = new MemoryApi();
    for (const name of ['a', 'b']) await api.create(NAMESPACE, namespace(name));
    let refusals = 0;
    const apply = api.apply.bind(api);
    api.apply = async (kind, object, options) => {
      if (object.metadata?.namespace === 'a' && ++refusals < 4) throw new KubeError(403, 'Forbidden', 'quota');
      return apply(kind, object, options);
    };
    await replica(api);
    await until(
      () => trust(api, 'b'),
      () => true,
      'the other one',
    );
    await until(
      () => trust(api, 'a'),
      () => true,
      'the refused one',
    );
  });
});

describe('the webhook', () => {
  const TLS = { namespace: 'heddle-system', name: 'heddle-webhook-tls' };
  const CONFIGURATION = { name: 'heddle-webhook' };
  const bundleOf = (configuration: Data) => decode(configuration.webhooks?.[0]?.clientConfig.caBundle);

  test('gets a certificate and its configurations the bundle, and both are kept', async () => {
    const api = new MemoryApi();
    const webhooks = [
      { name: 'a.heddle.dev', clientConfig: { service: { name: 'x' } } },
      { name: 'b.heddle.dev', clientConfig: {} },
    ];
    for (const kind of [MUTATING_WEBHOOK_CONFIGURATION, VALIDATING_WEBHOOK_CONFIGURATION]) {
      await api.create(kind, { metadata: CONFIGURATION, webhooks } as KubeObject);
    }
    const leader = await replica(api);
    const secret = await until(
      () => find(api, SECRET, TLS),
      () => true,
      'the Secret',
    );
    const [leaf] = parseCertificates(decode(secret.data?.['tls.crt']), 'tls.crt');
    expect(leaf?.checkHost('heddle-webhook.heddle-system.svc')).toBeTruthy();
    const isRight = (configuration: Data) => bundleOf(configuration) === leader.authority.trustBundle;
    for (const kind of [MUTATING_WEBHOOK_CONFIGURATION, VALIDATING_WEBHOOK_CONFIGURATION]) {
      const configuration = await until(() => find(api, kind, CONFIGURATION), isRight, `the bundle of ${kind.kind}`);
      expect(configuration.webhooks).toHaveLength(2);
      expect(configuration.webhooks?.[0]).toMatchObject(webhooks[0] ?? {});
    }
    const cleared = { webhooks: [{ name: 'a.heddle.dev', clientConfig: { caBundle: '' } }] };
    await api.patch(MUTATING_WEBHOOK_CONFIGURATION, CONFIGURATION, 'strategic', cleared);
    await until(() => find(api, MUTATING_WEBHOOK_CONFIGURATION, CONFIGURATION), isRight, 'its return');
    await api.patch(SECRET, TLS, 'merge', { data: { 'tls.key': 'rubbish' } });
    await until(
      () => find(api, SECRET, TLS),
      ({ data }) => decode(data?.['tls.key']).includes('PRIVATE KEY'),
      'its repair',
    );
  });

  test('has its certificate renewed from half-life on', async () => {
    const api = new MemoryApi();
    // Its first look after it was written, a second later, is before half of its life.
    await replica(api, { lifetimes: { ...SHORT, webhookMs: 4000 } });
    const first = await until(
      () => find(api, SECRET, TLS),
      () => true,
      'the Secret',
    );
    await until(
      () => find(api, SECRET, TLS),
      ({ data }) => data?.['tls.crt'] !== first.data?.['tls.crt'],
      'renewal',
    );
  });
});

test('a leader that loses its lease writes no more', async () => {
  const api = new MemoryApi();
  const leader = await replica(api);
  await eventually(() => ready(leader));
  leader.lose();
  const next = await replica(api);
  await eventually(() => ready(next));
  await api.create(NAMESPACE, { metadata: { name: 'shop' } });
  const written = () => api.writes.filter((write) => write.endsWith('ConfigMap shop/heddle-trust')).length;
  await eventually(() => written() > 0, 'the new leader');
  await new Promise((resolve) => setTimeout(resolve, 50));
  expect(written()).toBe(1);
});
