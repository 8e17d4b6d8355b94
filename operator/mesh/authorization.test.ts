import { describe, expect, test } from '@jest/globals';
import type { AuthorizationPolicySpec } from '../../api/authorization-policy.ts';
import { buildSnapshot, MeshBuilder } from './mesh-builder.ts';
import type { MeshObject } from './mesh-object.ts';
import { authorizationPolicy, pod, SETTINGS, service } from './testing/objects.ts';

const web = pod('web', { labels: { app: 'web' }, ports: [{ name: 'http', containerPort: 8080 }] });
const UID = 'uid-web';
const ports = [
  { name: 'http', port: 80, targetPort: 'http' },
  { name: 'tcp', port: 90, targetPort: 9000 },
];
const policy = (key: string, spec: AuthorizationPolicySpec, annotations?: Record<string, string>): MeshObject => ({
  kind: 'AuthorizationPolicy',
  object: authorizationPolicy(key, spec, annotations),
});
const snapshotOf = (...objects: MeshObject[]) =>
  buildSnapshot(SETTINGS, [
    { kind: 'Pod', object: web },
    { kind: 'Service', object: service('web', { app: 'web' }, { ports }) },
    ...objects,
  ]);
const authorizationOf = (...objects: MeshObject[]) =>
  (snapshotOf(...objects).workloads.get(UID)?.authorization ?? []).map(({ rules, ports: about }) => {
    const { ref, action } = rules;
    return `${ref.namespace}/${ref.name} ${action}${about === undefined ? '' : ` ${about.join(',')}`}`;
  });
const viewOf = (name: string, ...objects: MeshObject[]) =>
  snapshotOf(...objects).policies.get(`AuthorizationPolicy/${name}`);
const of = (app: string) => ({ selector: { matchLabels: { app } } });

describe('policies that are about a pod', () => {
  test.each<[string, MeshObject, string[]]>([
    ['of its namespace', policy('shop/a', {}), ['shop/a ALLOW']],
    ['of another namespace', policy('bank/a', {}), []],
    ['of the mesh', policy('heddle-system/a', { action: 'DENY' }), ['heddle-system/a DENY']],
    ['of the mesh, that selects it', policy('heddle-system/a', of('web')), ['heddle-system/a ALLOW']],
    ['of the mesh, that selects others', policy('heddle-system/a', of('db')), []],
    ['that selects it', policy('shop/a', of('web')), ['shop/a ALLOW']],
    ['that selects others', policy('shop/a', of('db')), []],
    [
      'of a Service that selects it',
      policy('shop/a', { targetRefs: [{ kind: 'Service', name: 'web' }] }),
      ['shop/a ALLOW 8080,9000'],
    ],
    ['of a Service that is not there', policy('shop/a', { targetRefs: [{ kind: 'Service', name: 'x' }] }), []],
  ])('are one %s', (_, object, expected) => {
    expect(authorizationOf(object)).toEqual(expected);
  });

  test('are all of them, in order of their names', () => {
    const all = [policy('shop/b', {}), policy('heddle-system/z', {}), policy('shop/a', of('web'))];
    expect(authorizationOf(...all)).toEqual(['heddle-system/z ALLOW', 'shop/a ALLOW', 'shop/b ALLOW']);
  });

  test('come and go with the ports of a Service', () => {
    const builder = new MeshBuilder(SETTINGS);
    const object = authorizationPolicy('shop/a', { targetRefs: [{ kind: 'Service', name: 'web' }] });
    builder.apply([
      { kind: 'Pod', key: 'shop/web', object: web },
      { kind: 'AuthorizationPolicy', key: 'shop/a', object },
    ]);
    const portsNow = () => builder.snapshot.workloads.get(UID)?.authorization[0]?.ports;
    expect(portsNow()).toBeUndefined();
    builder.apply([{ kind: 'Service', key: 'shop/web', object: service('web', { app: 'web' }, { ports }) }]);
    expect(portsNow()).toEqual([8080, 9000]);
    builder.apply([{ kind: 'Service', key: 'shop/web', object: service('web', { app: 'other' }, { ports }) }]);
    expect(portsNow()).toBeUndefined();
  });
});

describe('what can be put in force in another way alone', () => {
  test('one that is wrong denies everything at the pods it is about, whatever it meant', () => {
    const wrong = { ...of('web'), action: 'AUDIT' as const, rules: [{ from: [] }] };
    const [attached] = snapshotOf(policy('shop/a', wrong)).workloads.get(UID)?.authorization ?? [];
    expect(attached?.rules).toMatchObject({ action: 'DENY', rules: [{}], dryRun: false });
    expect(viewOf('shop/a', policy('shop/a', wrong))?.problems).toMatchObject([
      {
        condition: 'Accepted',
        reason: 'Invalid',
        message: expect.stringMatching(/spec\.rules\[0\]\.from: .*denies every request/),
      },
    ]);
  });

  test('one of which nobody can tell whom it is about does nothing', () => {
    const wrong = { selector: { matchLabels: { app: 5 } } } as unknown as AuthorizationPolicySpec;
    expect(authorizationOf(policy('shop/a', wrong))).toEqual([]);
    expect(viewOf('shop/a', policy('shop/a', wrong))?.problems[0]?.message).toContain('not in force');
  });

  test('CUSTOM without its provider denies what its rules match, and says so', () => {
    const spec = { action: 'CUSTOM' as const, provider: { name: 'asks' }, rules: [{}] };
    const [attached] = snapshotOf(policy('shop/a', spec)).workloads.get(UID)?.authorization ?? [];
    expect(attached).toMatchObject({ rules: { action: 'CUSTOM', rules: [{}] } });
    expect(attached).not.toHaveProperty('authorizer');
    expect(viewOf('shop/a', policy('shop/a', spec))?.notes.join()).toContain('no provider "asks"');
  });
});

describe('what its user hears', () => {
  test('how many pods it is about, and which others are about the same', () => {
    const view = viewOf('shop/a', policy('shop/a', {}), policy('shop/b', {}), policy('shop/c', of('db')));
    expect(view).toMatchObject({ selected: 1, notes: ['Also about some of its pods: shop/b.'] });
  });

  test('which DENY lets nothing of an ALLOW through, until it is another', () => {
    const builder = new MeshBuilder(SETTINGS);
    const put = (key: string, spec: AuthorizationPolicySpec) =>
      builder.apply([{ kind: 'AuthorizationPolicy', key, object: authorizationPolicy(key, spec) }]);
    const told = () => builder.snapshot.policies.get('AuthorizationPolicy/shop/a')?.notes.join();
    const get = { rules: [{ to: [{ operation: { methods: ['GET'] } }] }] };
    builder.apply([{ kind: 'Pod', key: 'shop/web', object: web }]);
    put('shop/a', get);
    put('shop/no', { action: 'DENY', rules: [{}] });
    expect(told()).toContain('Where shop/no is in force as well, all that it allows is denied');
    put('shop/no', { action: 'DENY', rules: [{ to: [{ operation: { methods: ['POST'] } }] }] });
    expect(told()).not.toContain('denied');
    put('shop/no', { action: 'DENY', ...get });
    expect(told()).toContain('denied');
    put('shop/no', get);
    expect(told()).not.toContain('denied');
    put('shop/no', { action: 'DENY', targetRefs: [{ kind: 'Service', name: 'web' }], ...get });
    builder.apply([{ kind: 'Service', key: 'shop/web', object: service('web', { app: 'web' }, { ports }) }]);
    expect(told()).toBe('Also about some of its pods: shop/no.');
  });

  test('that it is in dry run', () => {
    const view = viewOf('shop/a', policy('shop/a', {}, { 'istio.io/dry-run': 'true' }));
    expect(view).toMatchObject({ dryRun: true, notes: [expect.stringContaining('decides nothing')] });
  });

  test('that there is no such Service', () => {
    const spec = { targetRefs: [{ kind: 'Service', name: 'nowhere' }] };
    expect(viewOf('shop/a', policy('shop/a', spec))?.notes.join()).toContain('shop/nowhere');
  });
});
