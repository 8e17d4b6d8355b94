import { isDiscovered } from '../../api/discovery.ts';
import { readJwkSet } from '../../api/jwk-set.ts';
import { type MeshConfig, readMeshConfig } from '../../api/mesh-config.ts';
import { CONFIG_MAP } from '../../kube/kinds.ts';
import type { KubeApi } from '../../kube/kube-api.ts';
import { KubeError } from '../../kube/kube-error.ts';
import type { KubeObject } from '../../kube/object.ts';
import { MeshBuilder, type UnreadableObject } from '../../operator/mesh/mesh-builder.ts';
import { keyOf, type MeshChange, type MeshKind, type MeshObject } from '../../operator/mesh/mesh-object.ts';
import type { MeshSettings, MeshSnapshot } from '../../operator/mesh/snapshot.ts';
import { SYSTEM_NAMESPACE } from '../../proxy/names.ts';
import { KINDS } from './mesh-kinds.ts';

/** What there is in a cluster for a mesh to be built from, as far as the user may see it. */
export interface MeshObjects {
  readonly config: MeshConfig;
  readonly objects: readonly MeshObject[];
  /** What could not be read and is left out, a sentence each. */
  readonly notes: readonly string[];
}

/** A mesh, and what is to be known of how it came about. */
export interface ReadMesh {
  readonly snapshot: MeshSnapshot;
  readonly unreadable: readonly UnreadableObject[];
}

const MESH_CONFIG_MAP = 'heddle-mesh';
const MESH_CONFIG_KEY = 'mesh.yaml';
const KEYS_CONFIG_MAP = 'heddle-jwks';
const KEYS_KEY = 'keys.json';
/** Without these nothing can be said. */
const NEEDED: readonly MeshKind[] = ['Pod', 'Service', 'EndpointSlice'];

type ConfigMap = KubeObject & { readonly data?: Readonly<Record<string, string>> };

/**
 * Lists all that the mesh is built from, with the user's own rights.
 * @throws {KubeError} where pods, Services or their endpoints may not be listed
 */
export async function listMeshObjects(api: Pick<KubeApi, 'get' | 'list'>): Promise<MeshObjects> {
  const notes: string[] = [];
  const lists = Object.entries(KINDS).map(async ([name, kind]): Promise<MeshObject[]> => {
    try {
      const { items } = await api.list<KubeObject>(kind);
      return items.map((object) => ({ kind: name, object }) as MeshObject);
    } catch (error) {
      // Of a kind that the cluster does not know there are no objects.
      if (error instanceof KubeError && error.code === 404) return [];
      if (!(error instanceof KubeError) || error.code !== 403 || NEEDED.some((one) => one === name)) throw error;
      notes.push(`you may not list ${kind.plural}: decided as if there were none`);
      return [];
    }
  });
  const [settings, keys, ...objects] = await Promise.all([
    readData(api, MESH_CONFIG_MAP, MESH_CONFIG_KEY),
    readData(api, KEYS_CONFIG_MAP, KEYS_KEY),
    ...lists,
  ]);
  if (typeof settings !== 'string') {
    notes.push(
      `the mesh's settings (ConfigMap ${SYSTEM_NAMESPACE}/${MESH_CONFIG_MAP}) can't be read: decided by the defaults`,
    );
  }
  const jwks = keys === UNREADABLE ? undefined : keysOf(keys);
  if (jwks === undefined) {
    notes.push(
      `keys of tokens (ConfigMap ${SYSTEM_NAMESPACE}/${KEYS_CONFIG_MAP}) can't be read: no signature by a fetched key is verified, and listeners of sidecars that have such keys differ`,
    );
  }
  return {
    config: readMeshConfig(typeof settings === 'string' ? settings : ''),
    objects: [...objects.flat(), ...(jwks ?? [])],
    notes,
  };
}

/** Builds the mesh as the operator would. */
export function buildMesh({ config, objects }: Pick<MeshObjects, 'config' | 'objects'>): ReadMesh {
  const settings: MeshSettings = { ...config, rateLimits: { redis: config.redis !== undefined } };
  const labels = new Map<string, Readonly<Record<string, string>>>();
  for (const { kind, object } of objects) {
    if (kind === 'Namespace') labels.set(object.metadata?.name ?? '', object.metadata?.labels ?? {});
  }
  const changes = objects.map((entry): MeshChange => {
    const { namespace } = entry.object.metadata ?? {};
    const isLeftOut =
      namespace !== undefined &&
      entry.kind !== 'Jwks' &&
      namespace !== SYSTEM_NAMESPACE &&
      !isDiscovered(config, namespace, labels.get(namespace));
    // Kind and object stay together, which a spread over a union of types does not show.
    return { ...entry, key: keyOf(entry.object.metadata), ...(isLeftOut && { undiscovered: true }) } as MeshChange;
  });
  const { snapshot, unreadable } = new MeshBuilder(settings).apply(changes);
  return { snapshot, unreadable };
}

/** Of what is there, and may not be read. */
const UNREADABLE = Symbol('unreadable');

/** @returns undefined: there is none */
async function readData(
  api: Pick<KubeApi, 'get'>,
  name: string,
  key: string,
): Promise<string | typeof UNREADABLE | undefined> {
  try {
    return (await api.get<ConfigMap>(CONFIG_MAP, { namespace: SYSTEM_NAMESPACE, name })).data?.[key];
  } catch (error) {
    if (error instanceof KubeError) return error.code === 404 ? undefined : UNREADABLE;
    throw error;
  }
}

/** Keys of tokens that the operator fetched and wrote down; undefined: nobody can read what is there. */
function keysOf(text = '{}'): MeshObject[] | undefined {
  const kept = parsed(text);
  if (typeof kept !== 'object' || kept === null || Array.isArray(kept)) return undefined;
  return Object.entries(kept).flatMap(([name, value]): MeshObject[] => {
    const set = typeof value === 'string' ? readJwkSet(value, false) : '';
    return typeof set === 'string' ? [] : [{ kind: 'Jwks', object: { metadata: { name }, keys: set.text } }];
  });
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
