import { describe, expect, test } from '@jest/globals';
import type { RateLimitPolicySpec } from '../../api/rate-limit-policy.ts';
import { buildSnapshot } from './mesh-builder.ts';
import type { MeshObject } from './mesh-object.ts';
import { pod, rateLimitPolicy, SETTINGS, service } from './testing/objects.ts';

const web = pod('web', { labels: { app: 'web' }, ports: [{ name: 'http', containerPort: 8080 }] });
const limits = [{ requests: 1, unit: 'Second' as const }];
const policy = (key: string, spec: RateLimitPolicySpec = { limits }): MeshObject => ({
  kind: 'RateLimitPolicy',
  object: rateLimitPolicy(key, spec),
});
const of = (app: string) => ({ selector: { matchLabels: { app } }, limits });
const snapshotOf = (objects: readonly MeshObject[], settings = SETTINGS) =>
  buildSnapshot(settings, [
    { kind: 'Pod', object: web },
    { kind: 'Service', object: service('web', { app: 'web' }) },
    {
      kind: 'Service',
      object: service('db', { app: 'web' }, { ports: [{ name: 'tcp', port: 90, targetPort: 9000 }] }),
    },
    ...objects,
  ]);
const limitsOf = (...objects: MeshObject[]) =>
  (snapshotOf(objects).workloads.get('uid-web')?.rateLimits ?? []).map(
    ({ rules: { ref }, ports }) => `${ref.namespace}/${ref.name}${ports === undefined ? '' : ` ${ports.join(',')}`}`,
  );
const viewOf = (name: string, ...objects: MeshObject[]) => snapshotOf(objects).policies.get(`RateLimitPolicy/${name}`);

test('policies of the mesh, of the namespace, of pods and of Services are about a pod', () => {
  const all = [
    policy('shop/b'),
    policy('heddle-system/z'),
    policy('shop/a', of('web')),
    policy('shop/c', of('db')),
    policy('bank/a'),
    policy('shop/s', { targetRefs: [{ kind: 'Service', name: 'web' }], limits }),
  ];
  expect(limitsOf(...all)).toEqual(['heddle-system/z', 'shop/a', 'shop/b', 'shop/s 8080']);
});

describe('what its user hears', () => {
  test('one that is wrong is not in force, and says why', () => {
    const wrong = { ...of('web'), limits: [{ requests: 0, unit: 'Second' as const }] };
    expect(limitsOf(policy('shop/a', wrong))).toEqual([]);
    expect(viewOf('shop/a', policy('shop/a', wrong))?.problems).toMatchObject([
      {
        condition: 'Accepted',
        reason: 'Invalid',
        message: expect.stringMatching(/limits\[0\]\.requests.*limits nothing/),
      },
    ]);
  });

  test('how many pods it is about, and which others are about the same', () => {
    const view = viewOf('shop/a', policy('shop/a'), policy('shop/b'), policy('shop/c', of('db')));
    expect(view).toMatchObject({ selected: 1, notes: ['Also about some of its pods: shop/b.'] });
  });

  test('that it selects nothing, whatever namespace it is in', () => {
    expect(viewOf('nowhere/a', policy('nowhere/a'))).toMatchObject({ selected: 0, problems: [], notes: [] });
  });

  test('that there is no such Service, and that none of its ports is of HTTP', () => {
    const targetRefs = ['db', 'nobody'].map((name) => ({ kind: 'Service', name }));
    const notes = viewOf('shop/a', policy('shop/a', { targetRefs, limits }))?.notes.join(' ');
    expect(notes).toContain('there is no Service shop/nobody');
    expect(notes).toContain('spec.limits: none of its pods has a port of HTTP that it is about');
    const connections = policy('shop/a', { targetRefs: targetRefs.slice(0, 1), connections: { max: 1 } });
    expect(viewOf('shop/a', connections)?.notes).toEqual([]);
  });

  test('where limits can be got past, as a port declares no protocol', () => {
    const bare: MeshObject = {
      kind: 'Service',
      object: service('any', { app: 'web' }, { ports: [{ port: 91, targetPort: 9100 }] }),
    };
    const notes = (spec: RateLimitPolicySpec) => viewOf('shop/a', bare, policy('shop/a', spec))?.notes;
    expect(notes({ limits })).toEqual([expect.stringMatching(/^Pods with a port that declares no protocol: 1\. /)]);
    expect(notes({ targetRefs: [{ kind: 'Service', name: 'web' }], limits })).toEqual([]);
    expect(notes({ connections: { max: 1 } })).toEqual([]);
  });

  test('where global counts are kept', () => {
    const object = policy('shop/a', { limits: [{ scope: 'Global', requests: 1, unit: 'Hour' }] });
    expect(viewOf('shop/a', object)?.notes.join()).toContain('in the memory of the operator');
    const withRedis = snapshotOf([object], { ...SETTINGS, rateLimits: { redis: true } });
    expect(withRedis.policies.get('RateLimitPolicy/shop/a')?.notes).toEqual(['Global counts are kept in Redis.']);
  });

  test('that it is in dry run', () => {
    const view = viewOf('shop/a', policy('shop/a', { limits, dryRun: true }));
    expect(view).toMatchObject({ dryRun: true, notes: [expect.stringContaining('refuse nothing')] });
  });
});
