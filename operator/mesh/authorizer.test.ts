import { describe, expect, test } from '@jest/globals';
import { extensionProviders } from '../../api/extension-provider.ts';
import type { ServiceEntrySpec } from '../../api/service-entry.ts';
import { MeshBuilder } from './mesh-builder.ts';
import { keyOf, type MeshChange, type MeshObject } from './mesh-object.ts';
import { authorizationPolicy, pod, SETTINGS, service, serviceEntry } from './testing/objects.ts';

const settings = {
  ...SETTINGS,
  extensionProviders: extensionProviders.parse([
    { name: 'opa', envoyExtAuthzGrpc: { service: 'opa.auth.svc.cluster.local', port: 9191 } },
    { name: 'misplaced', envoyExtAuthzGrpc: { service: 'shop/opa.auth.svc.cluster.local', port: 9191 } },
    { name: 'login', envoyExtAuthzHttp: { service: 'login.example.com', port: 80 } },
    { name: 'own-login', envoyExtAuthzHttp: { service: 'auth/login.example.com', port: 80 } },
  ]),
};
const changesOf = (objects: readonly MeshObject[]) =>
  objects.map((entry) => ({ ...entry, key: keyOf(entry.object.metadata) }) as MeshChange);

function opa(spec: object): MeshObject {
  const object = service('opa', {}, { ports: [{ name: 'grpc', port: 9191, targetPort: 9191 }], ...spec });
  return { kind: 'Service', object: { ...object, metadata: { ...object.metadata, namespace: 'auth' } } };
}

function login(namespace: string, more: Partial<ServiceEntrySpec> = {}, created = '2026-01-01T00:00:00Z'): MeshObject {
  const ports = [{ number: 80, name: 'http', protocol: 'HTTP' }];
  const spec = { hosts: ['login.example.com'], ports, resolution: 'DNS' as const, ...more };
  return { kind: 'ServiceEntry', object: serviceEntry(`${namespace}/login`, spec, created) };
}

function meshWith(provider: string, annotations = {}) {
  const builder = new MeshBuilder(settings);
  const spec = { action: 'CUSTOM' as const, provider: { name: provider }, rules: [{}] };
  const object = authorizationPolicy('shop/a', spec, annotations);
  builder.apply(
    changesOf([
      { kind: 'Pod', object: pod('web', {}) },
      { kind: 'AuthorizationPolicy', object },
    ]),
  );
  return {
    builder,
    put: (...objects: MeshObject[]) => builder.apply(changesOf(objects)),
    asked: () => builder.snapshot.workloads.get('uid-web')?.authorization[0]?.authorizer?.service,
    notes: () => builder.snapshot.policies.get('AuthorizationPolicy/shop/a')?.notes.join('\n') ?? '',
  };
}

describe('whom a policy asks', () => {
  test('comes and goes with its service', () => {
    const { builder, put, asked, notes } = meshWith('opa');
    expect(asked()).toBeUndefined();
    expect(notes()).toContain('nobody knows the service opa.auth.svc.cluster.local, so requests that a rule matches');
    put(opa({}));
    expect(asked()).toBe('opa.auth.svc.cluster.local');
    expect(notes()).toBe('');
    put(opa({ ports: [{ name: 'grpc', port: 9000, targetPort: 9000 }] }));
    expect(asked()).toBeUndefined();
    expect(notes()).toContain('has no port 9191');
    put(opa({ type: 'ExternalName', externalName: 'opa.example.com' }));
    expect(notes()).toContain('ExternalName');
    builder.apply([{ kind: 'Service', key: 'auth/opa', object: undefined }]);
    expect(asked()).toBeUndefined();
  });

  test('is of the namespace that its provider says', () => {
    const { put, notes } = meshWith('misplaced');
    put(opa({}));
    expect(notes()).toContain('nobody knows');
    const own = meshWith('own-login');
    own.put(login('shop'));
    expect(own.asked()).toBeUndefined();
    own.put(login('auth', { exportTo: ['.'] }));
    expect(own.asked()).toBe('auth/login.example.com');
  });

  test('is the oldest for the root namespace too where none is said, whoever asks', () => {
    const { put, asked } = meshWith('login');
    put(login('shop', { exportTo: ['.'] }, '2025-01-01T00:00:00Z'));
    expect(asked()).toBeUndefined();
    put(login('bank', {}, '2026-02-01T00:00:00Z'), login('auth', {}, '2026-01-15T00:00:00Z'));
    expect(asked()).toBe('auth/login.example.com');
  });

  test('must have an address of its own', () => {
    const { put, asked, notes } = meshWith('login');
    put(login('auth', { resolution: 'NONE' }));
    expect(asked()).toBeUndefined();
    expect(notes()).toContain('has the resolution NONE');
  });

  test('is not asked in dry run, and nothing is counted', () => {
    const { builder, notes } = meshWith('opa', { 'istio.io/dry-run': 'true' });
    expect(notes()).toBe('It is in dry run: it decides nothing, its provider is not asked, and nothing is counted.');
    expect(builder.snapshot.policies.get('AuthorizationPolicy/shop/a')).not.toHaveProperty('dryRun');
  });
});

describe('a provider whose own pods are asked about', () => {
  const opaPod = (labels: Record<string, string>): MeshObject => {
    const object = pod('opa', { labels: { app: 'opa', ...labels }, ports: [{ name: 'web', containerPort: 8080 }] });
    return { kind: 'Pod', object: { ...object, metadata: { ...object.metadata, namespace: 'auth' } } };
  };
  const everywhere = (rule: object, more: object = {}) =>
    authorizationPolicy('heddle-system/all', { action: 'CUSTOM', provider: { name: 'opa' }, rules: [rule], ...more });
  const world = (rule: object, more: object = {}) => {
    const builder = new MeshBuilder(settings);
    const put = (...objects: MeshObject[]) => builder.apply(changesOf(objects));
    put(opaPod({}), opa({ selector: { app: 'opa' } }), {
      kind: 'AuthorizationPolicy',
      object: everywhere(rule, more),
    });
    return {
      put,
      itself: () => builder.snapshot.workloads.get('uid-opa')?.authorization[0]?.asksItselfAt,
      notes: () => builder.snapshot.policies.get('AuthorizationPolicy/heddle-system/all')?.notes.join('\n') ?? '',
    };
  };

  test('is not asked at its port, and the condition says which pod', () => {
    const { put, itself, notes } = world({});
    expect(itself()).toEqual([9191]);
    expect(notes()).toContain('would be asked about questions to itself, without end (auth/opa port 9191)');
    put(opa({ selector: { app: 'other' } }));
    expect(itself()).toBeUndefined();
    expect(notes()).toBe('');
    put(opa({ selector: { app: 'opa' } }));
    expect(notes()).toContain('auth/opa port 9191');
  });

  test.each([
    ['name it with a zero before', { ports: ['09191'] }],
    ['have a list of no ports', { ports: [], methods: ['GET'] }],
  ])('is not asked either where the rules %s', (_, operation) => {
    expect(world({ to: [{ operation }] }).itself()).toEqual([9191]);
  });

  test.each([
    ['leave out its port', { to: [{ operation: { notPorts: ['9191'] } }] }, {}],
    ['leave it out with a zero before', { to: [{ operation: { notPorts: ['09191'] } }] }, {}],
    ['are about another port', { to: [{ operation: { ports: ['8080'] } }] }, {}],
    ['are about other pods', {}, { selector: { matchLabels: { app: 'web' } } }],
  ])('is asked about all else where the rules %s', (_, rule, more) => {
    const { itself, notes } = world(rule, more);
    expect(itself()).toBeUndefined();
    expect(notes()).toBe('');
  });
});

describe('several providers on one pod', () => {
  test('are named in the condition of each, for as long as there are several', () => {
    const { builder, put } = meshWith('opa');
    const other = (provider: string, annotations = {}): MeshObject => {
      const spec = { action: 'CUSTOM' as const, provider: { name: provider }, rules: [{}] };
      return { kind: 'AuthorizationPolicy', object: authorizationPolicy('shop/b', spec, annotations) };
    };
    const named = (name: string) => {
      const notes = builder.snapshot.policies.get(`AuthorizationPolicy/shop/${name}`)?.notes ?? [];
      return notes.find((note) => note.includes('others are asked'));
    };
    put(opa({}), login('auth'), other('login'));
    expect(named('a')).toBe(
      'spec.provider: on some of its pods others are asked as well, and all must allow: "login" (shop/b).',
    );
    expect(named('b')).toContain('"opa" (shop/a)');
    put(other('opa'));
    expect([named('a'), named('b')]).toEqual([undefined, undefined]);
    put(other('login', { 'istio.io/dry-run': 'true' }));
    expect([named('a'), named('b')]).toEqual([undefined, undefined]);
  });
});
