import { beforeEach, describe, expect, test } from '@jest/globals';
import { MeshBuilder } from './mesh-builder.ts';
import type { MeshChange } from './mesh-object.ts';
import { canary, pod, SETTINGS, service, virtualService } from './testing/objects.ts';

const ROUTE = virtualService('shop/web', {
  hosts: ['web'],
  http: [{ route: [{ destination: { host: 'web' } }] }],
});
const KEY = 'VirtualService/shop/web';

let builder: MeshBuilder;

beforeEach(() => {
  builder = new MeshBuilder(SETTINGS);
});

const namespace = (labels: Record<string, string>): MeshChange => {
  return { kind: 'Namespace', key: 'shop', object: { metadata: { name: 'shop', labels } } };
};
const route = (undiscovered: boolean): MeshChange => {
  return { kind: 'VirtualService', key: 'shop/web', object: ROUTE, undiscovered };
};
const gone: MeshChange = { kind: 'VirtualService', key: 'shop/web', object: undefined, undiscovered: true };
const reasons = () => builder.snapshot.policies.get(KEY)?.problems.map(({ reason }) => reason);
const OURS = { 'heddle.dev/injection': 'enabled' };

describe('objects of a namespace that is not discovered', () => {
  test('are nowhere in the snapshot', () => {
    const { snapshot } = builder.apply([
      namespace(OURS),
      { kind: 'Pod', key: 'shop/a', object: pod('a'), undiscovered: true },
      { kind: 'Service', key: 'shop/web', object: service('web', { app: 'a' }), undiscovered: true },
      { kind: 'Canary', key: 'shop/c', object: canary('c', 'web', {}), undiscovered: true },
      route(true),
    ]);
    expect(snapshot.workloads.size + snapshot.services.size + snapshot.routeRules.size).toBe(0);
    expect([...snapshot.policies.keys()]).toEqual([KEY]);
  });

  test('have a view that says so, where the namespace opted in', () => {
    builder.apply([namespace({}), route(true)]);
    expect(reasons()).toBeUndefined();
    builder.apply([namespace(OURS)]);
    expect(reasons()).toEqual(['NotDiscovered']);
    builder.apply([namespace({ ...OURS, 'heddle.dev/injection': 'disabled' })]);
    expect(reasons()).toBeUndefined();
  });

  test('come in, and go out again, with all that depends on them', () => {
    builder.apply([namespace(OURS), route(true)]);
    builder.apply([route(false)]);
    expect(builder.snapshot.routeRules.has(KEY)).toBe(true);
    expect(reasons()).not.toContain('NotDiscovered');
    builder.apply([route(true)]);
    expect(builder.snapshot.routeRules.has(KEY)).toBe(false);
    expect(reasons()).toEqual(['NotDiscovered']);
    builder.apply([gone]);
    expect(builder.snapshot.policies.size).toBe(0);
  });

  test('that came in and went out at once leave the snapshot as it was', () => {
    const { snapshot } = builder.apply([namespace(OURS), route(true)]);
    expect(builder.apply([route(false), route(true)]).snapshot).toBe(snapshot);
  });
});
