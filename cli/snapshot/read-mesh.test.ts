import { expect, test } from '@jest/globals';
import type { KubeApi } from '../../kube/kube-api.ts';
import { KubeError } from '../../kube/kube-error.ts';
import type { ResourceKind } from '../../kube/resource-kind.ts';
import { pod } from '../../operator/mesh/testing/objects.ts';
import { buildMesh, listMeshObjects } from './read-mesh.ts';

const URI = 'https://id.example/keys';
const KEYS = {
  keys: [
    {
      kty: 'EC',
      crv: 'P-256',
      x: 'gI0GAILBdu7T53akrFmMyGcsF3n5dO7MmwNBHKW5SV0',
      y: 'SLW_xSffzlPWrHEVI30DHM_4egVwt3NQqeUD7nMFpps',
    },
  ],
};

/** An API server with one pod in a namespace that is no part of the mesh. @param answers of kinds that it refuses, or does not know */
function server(answers: Readonly<Record<string, number>>, maps: Readonly<Record<string, object>> = {}) {
  const refuse = (name: string): void => {
    const code = answers[name];
    if (code !== undefined) throw new KubeError(code, 'Reason', 'no');
  };
  return {
    list: async ({ kind, plural }: ResourceKind) => {
      refuse(plural);
      const namespace = { metadata: { name: 'shop', labels: {} } };
      const items = kind === 'Pod' ? [pod('ui')] : kind === 'Namespace' ? [namespace] : [];
      return { items, resourceVersion: '' };
    },
    get: async (_kind: ResourceKind, { name }: { name: string }) => {
      const data = maps[name];
      if (data === undefined) throw new KubeError(404, 'NotFound', 'not there');
      return { data };
    },
  } as unknown as Pick<KubeApi, 'get' | 'list'>;
}

test('kinds that the cluster does not know have no objects, and those that may not be listed are told', async () => {
  const { objects, notes } = await listMeshObjects(server({ nodes: 403, canaries: 404 }));
  expect(objects.map(({ kind }) => kind).sort()).toEqual(['Namespace', 'Pod']);
  expect(notes).toEqual([
    'you may not list nodes: decided as if there were none',
    expect.stringMatching(/^the mesh's settings/),
  ]);
});

test('without pods nothing can be said', async () => {
  await expect(listMeshObjects(server({ pods: 403 }))).rejects.toMatchObject({ code: 403 });
});

test('the mesh is built by its own settings, and with the keys that the operator wrote down', async () => {
  const maps = {
    'heddle-mesh': { 'mesh.yaml': 'trustDomain: example.org\ndiscoverySelectors: [{ matchLabels: { mesh: "yes" } }]' },
    'heddle-jwks': { 'keys.json': JSON.stringify({ [URI]: JSON.stringify(KEYS) }) },
  };
  const read = await listMeshObjects(server({}, maps));
  expect(read.notes).toEqual([]);
  expect(read.objects.find(({ kind }) => kind === 'Jwks')?.object.metadata?.name).toBe(URI);
  const { snapshot } = buildMesh(read);
  expect(snapshot.settings.trustDomain).toBe('example.org');
  expect([...snapshot.workloads.keys()]).toEqual([]);
  const everything = buildMesh({ ...read, config: { ...read.config, discoverySelectors: [] } });
  expect([...everything.snapshot.workloads.values()].map(({ spiffeId }) => spiffeId)).toEqual([
    'spiffe://example.org/ns/shop/sa/default',
  ]);
});

test.each(['{', '[]', '"text"'])(
  'keys that can not be read as the operator writes them (%s) are left out, and that is told',
  async (text) => {
    const maps = { 'heddle-mesh': { 'mesh.yaml': '' }, 'heddle-jwks': { 'keys.json': text } };
    const { objects, notes } = await listMeshObjects(server({}, maps));
    expect(objects.filter(({ kind }) => kind === 'Jwks')).toEqual([]);
    expect(notes).toEqual([expect.stringContaining('ConfigMap heddle-system/heddle-jwks')]);
  },
);

test('keys that may not be read are told of', async () => {
  const api = server({}, { 'heddle-mesh': { 'mesh.yaml': '' } });
  const get: KubeApi['get'] = async (kind, where) => {
    if (where.name === 'heddle-jwks') throw new KubeError(403, 'Forbidden', 'no');
    return api.get(kind, where);
  };
  expect((await listMeshObjects({ ...api, get })).notes).toEqual([
    expect.stringContaining('ConfigMap heddle-system/heddle-jwks'),
  ]);
});
