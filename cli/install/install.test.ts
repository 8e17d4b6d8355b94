import { describe, expect, test } from '@jest/globals';
import { KubeError } from '../../kube/kube-error.ts';
import type { KubeObject } from '../../kube/object.ts';
import { MemoryApi } from '../../kube/testing/memory-api.ts';
import { type InstallApi, planObjects, readConflicts, refuseConflicts } from './apply.ts';
import { CHOICES_ANNOTATION, customize, VERSION_LABEL } from './customize.ts';
import { compareVersions, findInstalled } from './installed.ts';
import { kindOf, type ManifestObject, titleOf } from './manifest-object.ts';
import { readManifests } from './manifests.ts';
import { describeChanges } from './object-diff.ts';
import { missing, podProblem } from './readiness.ts';
import { planRemoval, remove } from './remove.ts';

const { base, istioDefinitions } = await readManifests();
const CHOICES = { settings: { proxy: { logLevel: 'info' } }, image: 'registry.example/heddle:2', replicas: 3 };
const find = (objects: readonly ManifestObject[], title: string) =>
  objects.find((object) => titleOf(object) === title) as ManifestObject;
const OPERATOR = 'Deployment heddle-system/heddle-operator';

const filled = async (objects: readonly ManifestObject[]): Promise<MemoryApi> => {
  const api = new MemoryApi();
  for (const object of objects) await api.create(kindOf(object), object);
  return api;
};

describe('the manifests', () => {
  test('are in the order in which they need each other', () => {
    const kinds = base.map(({ kind }) => kind);
    expect(kinds[0]).toBe('Namespace');
    expect(kinds.at(-1)).toBe('MutatingWebhookConfiguration');
    expect(kinds.lastIndexOf('CustomResourceDefinition')).toBeLessThan(kinds.indexOf('Deployment'));
    expect(istioDefinitions.length).toBeGreaterThan(5);
  });

  test('become what was chosen: image also of the init container, replicas of the operator alone', () => {
    const objects = customize(base, CHOICES, '0.2.0', { 'heddle-webhook': 5 });
    const spec = (name: string) => find(objects, name).spec as { replicas: number; template: object };
    expect(spec(OPERATOR).replicas).toBe(3);
    expect(spec('Deployment heddle-system/heddle-webhook').replicas).toBe(5);
    expect(JSON.stringify(spec(OPERATOR).template)).toContain('"image":"registry.example/heddle:2"');
    expect(find(objects, OPERATOR).metadata.labels?.[VERSION_LABEL]).toBe('0.2.0');
    const { data, metadata } = find(objects, 'ConfigMap heddle-system/heddle-mesh');
    expect((data as Record<string, string>)['mesh.yaml']).toMatch(
      /initImage: registry.example\/heddle:2\n.*logLevel: info\n/s,
    );
    expect(JSON.parse(metadata.annotations?.[CHOICES_ANNOTATION] ?? '')).toEqual(CHOICES);
    expect(base.some(({ metadata: { annotations } }) => annotations?.[CHOICES_ANNOTATION])).toBe(false);
  });

  test('make pods anew when the settings change, and not otherwise', () => {
    const template = (settings: object) =>
      (find(customize(base, { settings: { ...settings } }, '1'), OPERATOR).spec as { template: object }).template;
    expect(template({})).toEqual(template({}));
    expect(template({})).not.toEqual(template({ trustDomain: 'a.b' }));
  });
});

describe('an installation', () => {
  test('is found with what was chosen', async () => {
    const api = await filled(customize(base, CHOICES, '0.2.0'));
    expect(await findInstalled(api, base)).toEqual({
      version: '0.2.0',
      choices: CHOICES,
      guessed: false,
      replicas: { 'heddle-operator': 3, 'heddle-webhook': 2 },
    });
    expect(await findInstalled(new MemoryApi(), base)).toBeUndefined();
  });

  test('by kubectl apply has chosen what differs from the manifests', async () => {
    const { settings, image } = CHOICES;
    const objects = customize(base, { settings, image }, '0.2.0').map((object) => {
      const { annotations: _, labels: __, ...metadata } = object.metadata;
      return { ...object, metadata };
    });
    const found = await findInstalled(await filled(objects), base);
    expect(found).toMatchObject({
      version: undefined,
      guessed: true,
      choices: { image, settings: { proxy: { logLevel: 'info', initImage: image } } },
    });
  });

  test.each([
    ['0.1.0', '0.2.0', -1],
    ['0.10.0', '0.9.9', 1],
    ['v1.0.0-rc', '1.0.0', 0],
    ['1.0.0', 'latest', 0],
  ])('of version %s is compared with %s', (a, b, expected) => {
    expect(Math.sign(compareVersions(a, b))).toBe(expected);
  });

  test('says what it lacks, and what keeps its pods', async () => {
    const objects = customize(base, { settings: {} }, '1').filter(
      ({ kind }) => kind !== 'ValidatingWebhookConfiguration',
    );
    const api = await filled(objects);
    const waiting = { reason: 'ImagePullBackOff', message: 'no such image' };
    await api.create(kindOf({ apiVersion: 'v1', kind: 'Service' }), {
      metadata: { namespace: 'heddle-system', name: 'x' },
    });
    const pod = {
      metadata: { name: 'heddle-operator-1' },
      status: { containerStatuses: [{ name: 'operator', state: { waiting } }] },
    };
    expect(podProblem(pod)).toBe('pod heddle-operator-1: ImagePullBackOff of container operator: no such image');
    expect(await missing(api)).toEqual([
      'heddle-operator: 0 of 1 pods are new',
      'heddle-webhook: 0 of 2 pods are new',
      'MutatingWebhookConfiguration heddle-webhook has no caBundle yet, which the operator writes',
      'ValidatingWebhookConfiguration heddle-webhook is not there',
    ]);
  });
});

describe('a plan', () => {
  const map: ManifestObject = {
    apiVersion: 'v1',
    kind: 'ConfigMap',
    metadata: { name: 'a', namespace: 'b' },
    data: { x: '1' },
  };
  /** An API server that finds the given conflict unless fields are taken over. */
  const conflicting = (manager: string): InstallApi =>
    ({
      get: () => Promise.resolve({ ...map, data: { x: '2' } }),
      apply: (_: unknown, object: KubeObject, { force }: { force?: boolean }) =>
        force
          ? Promise.resolve(object)
          : Promise.reject(
              new KubeError(
                409,
                'Conflict',
                `Apply failed with 1 conflict: conflict with "${manager}" using v1: .data.x`,
              ),
            ),
    }) as unknown as InstallApi;

  test('tells of fields that others have set, and by whom', async () => {
    const [plan] = await planObjects(conflicting('kubectl-edit'), [map], false);
    expect(plan).toMatchObject({ action: 'change', conflicts: [{ field: 'data.x', manager: 'kubectl-edit' }] });
    expect(() => refuseConflicts(plan ? [plan] : [])).toThrow('ConfigMap b/a: data.x is set by kubectl-edit');
  });

  test('takes over what kubectl apply installed, and what it is told to', async () => {
    for (const [manager, force] of [
      ['kubectl-client-side-apply', false],
      ['kubectl-edit', true],
    ] as const) {
      const [plan] = await planObjects(conflicting(manager), [map], force);
      expect(plan).toMatchObject({ conflicts: [], force: true, changes: ['data.x: 2 → 1'] });
    }
  });

  test('reads several conflicts of several managers', () => {
    const message = `PATCH /a: Apply failed with 3 conflicts: conflicts with "kubectl-edit" using apps/v1:
- .spec.replicas
- .spec.template.spec.containers[name="a"].image
conflict with "hpa" using autoscaling/v2: .spec.x`;
    expect(readConflicts(message)).toEqual([
      { field: 'spec.replicas', manager: 'kubectl-edit' },
      { field: 'spec.template.spec.containers[name="a"].image', manager: 'kubectl-edit' },
      { field: 'spec.x', manager: 'hpa' },
    ]);
    expect(readConflicts('strange')).toEqual([{ field: 'strange', manager: 'somebody' }]);
  });

  test('shows lines of a text that change, elements by name, and nothing that the server writes', () => {
    const before = {
      metadata: { resourceVersion: '1', generation: 1 },
      data: { t: 'a\nb\nc\n' },
      spec: { list: [{ name: 'x', v: 1 }] },
      status: {},
    };
    const after = {
      metadata: { resourceVersion: '2', labels: { 'a/b': 'c' } },
      data: { t: 'a\nB\nc\n' },
      spec: { list: [{ name: 'x', v: 2 }] },
    };
    expect(describeChanges(before, after)).toEqual([
      'metadata.labels: (none) → a/b: c',
      'data.t:',
      '  - b',
      '  + B',
      'spec.list[x].v: 1 → 2',
    ]);
    expect(describeChanges(before, before)).toEqual([]);
  });
});

describe('a removal', () => {
  test('stops the operator first, keeps definitions, and ends with the namespace', async () => {
    const objects = customize(base, { settings: {} }, '1');
    const api = (await filled([...objects, ...istioDefinitions])) as unknown as InstallApi & MemoryApi;
    const plan = await planRemoval(api, base);
    const titles = plan.objects.map(titleOf);
    expect([titles[0], titles.at(-1)]).toEqual([OPERATOR, 'Namespace heddle-system']);
    expect(titles.indexOf('MutatingWebhookConfiguration heddle-webhook')).toBeLessThan(
      titles.indexOf('Deployment heddle-system/heddle-webhook'),
    );
    await remove(api, plan.objects, 1000);
    expect(await planRemoval(api, base)).toEqual({ objects: [], notes: [], unreturned: [] });
    const definition = kindOf({ apiVersion: 'apiextensions.k8s.io/v1', kind: 'CustomResourceDefinition' });
    const left = await api.list(definition);
    expect(left.items).toHaveLength(
      istioDefinitions.length + base.filter(({ kind }) => kind === definition.kind).length,
    );
  });

  test('names workloads that nobody could give back', async () => {
    const deployment: ManifestObject = {
      apiVersion: 'apps/v1',
      kind: 'Deployment',
      metadata: { name: 'ordering', namespace: 'shop', annotations: { 'canary.heddle.dev/borrowed': '{}' } },
    };
    const api = (await filled([...base, deployment])) as unknown as InstallApi;
    expect((await planRemoval(api, base)).unreturned).toEqual(['Deployment shop/ordering']);
  });
});
