import { afterAll, describe, expect, test } from '@jest/globals';
import { parseAllDocuments } from 'yaml';
import { applyObjects, planObjects } from '../../cli/install/apply.ts';
import { type ManifestObject, pathOf } from '../../cli/install/manifest-object.ts';
import { readManifests } from '../../cli/install/manifests.ts';
import { inTree } from '../../hack/mesh/install.ts';
import { testKubectl } from '../e2e/support/cluster.ts';
import { useNamespace } from '../e2e/support/namespace.ts';
import { testApi } from './support/test-api.ts';

const kubectl = testKubectl();
const namespace = useNamespace('install-plan', {});
const api = testApi();
afterAll(() => api.close());

const byPath = (objects: readonly ManifestObject[]): [string, ManifestObject][] =>
  objects.map((object): [string, ManifestObject] => [pathOf(object), object]).sort(([a], [b]) => a.localeCompare(b));

describe('the manifests', () => {
  test.each(['base', 'istio-crds'] as const)('of %s are those that kubectl makes of them', async (folder) => {
    const text = await kubectl.run(['kustomize', inTree(`manifests/${folder}`)]);
    const theirs = parseAllDocuments(text).map((document) => document.toJS() as ManifestObject);
    const { base, istioDefinitions } = await readManifests();
    expect(byPath(folder === 'base' ? base : istioDefinitions)).toEqual(byPath(theirs));
  });
});

describe('a plan', () => {
  const map = (name: string, data: Record<string, string>): ManifestObject => ({
    apiVersion: 'v1',
    kind: 'ConfigMap',
    metadata: { name, namespace: namespace.name },
    data,
  });
  const plan = async (object: ManifestObject, force = false) => (await planObjects(api, [object], force))[0];
  const dataOf = async (name: string): Promise<unknown> =>
    JSON.parse(await namespace.run('get', 'configmap', name, '-o', 'jsonpath={.data}'));

  test('stores nothing, and says nothing changes once it is applied', async () => {
    const object = map('own', { a: '1' });
    expect(await plan(object)).toMatchObject({ action: 'create' });
    expect((await namespace.run('get', 'configmap', '-o', 'name')).includes('/own')).toBe(false);
    await applyObjects(api, [{ object, force: false }], () => undefined);
    expect(await plan(object)).toMatchObject({ action: 'keep', changes: [] });
    expect(await plan(map('own', { a: '2' }))).toMatchObject({ action: 'change', changes: ['data.a: 1 → 2'] });
  });

  test('names fields that another has set, and goes over them only when told', async () => {
    const object = map('edited', { a: '1', b: '1' });
    await applyObjects(api, [{ object, force: false }], () => undefined);
    await namespace.run(
      'patch',
      'configmap',
      'edited',
      '--type=merge',
      '--field-manager=someone',
      '-p',
      '{"data":{"a":"9"}}',
    );
    const conflicts = [{ field: 'data.a', manager: 'someone' }];
    expect(await plan(object)).toMatchObject({ action: 'change', conflicts });
    await expect(applyObjects(api, [{ object, force: false }], () => undefined)).rejects.toThrow(
      'data.a is set by someone',
    );
    expect(await plan(object, true)).toMatchObject({ changes: ['data.a: 9 → 1'], conflicts: [] });
    await applyObjects(api, [{ object, force: true }], () => undefined);
    expect(await dataOf('edited')).toEqual({ a: '1', b: '1' });
  });

  test('takes over what kubectl apply installed', async () => {
    await namespace.apply(map('former', { a: '1' }));
    const object = map('former', { a: '2' });
    const found = await plan(object);
    expect(found).toMatchObject({ changes: ['data.a: 1 → 2'], conflicts: [], force: true });
    await applyObjects(api, found ? [found] : [], () => undefined);
    expect(await dataOf('former')).toEqual({ a: '2' });
  });
});
