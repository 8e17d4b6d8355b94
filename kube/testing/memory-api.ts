import type {
  ApplyOptions,
  DeleteOptions,
  KubeApi,
  ListOptions,
  Selection,
  WatchOptions,
  WriteOptions,
} from '../kube-api.ts';
import { KubeConnectionError, KubeError } from '../kube-error.ts';
import { type KubeObject, type ObjectName, objectKey } from '../object.ts';
import { collectionPath, type ResourceKind } from '../resource-kind.ts';
import type { WatchEvent } from '../watch-stream.ts';

interface LoggedEvent {
  readonly path: string;
  readonly version: number;
  readonly event: WatchEvent<KubeObject>;
}

type Methods = Pick<KubeApi, 'list' | 'watch' | 'get' | 'create' | 'update' | 'apply' | 'patch' | 'delete'>;

/** Objects in memory with the API server's rules on versions, conflicts and watches; patches are merged plainly. */
export class MemoryApi implements Methods {
  /** Every write, as `verb Kind namespace/name`. */
  readonly writes: string[] = [];
  /** Set to make the next calls fail. */
  fail: ((verb: string, kind: ResourceKind) => Error | undefined) | undefined;
  readonly #objects = new Map<string, Map<string, KubeObject>>();
  readonly #log: LoggedEvent[] = [];
  readonly #wake = new Set<() => void>();
  #version = 1;

  async list<T extends KubeObject>(kind: ResourceKind, options: ListOptions = {}) {
    this.#check('list', kind);
    const items = [...this.#of(kind).values()].filter((object) => matches(object, options)).map(copy) as T[];
    return { items, resourceVersion: String(this.#version) };
  }

  async *watch<T extends KubeObject>(kind: ResourceKind, options: WatchOptions): AsyncGenerator<WatchEvent<T>> {
    this.#check('watch', kind);
    const path = collectionPath(kind);
    let index = this.#log.findIndex(({ version }) => version > Number(options.resourceVersion));
    if (index < 0) index = this.#log.length;
    while (!options.signal?.aborted) {
      const entry = this.#log[index];
      if (!entry) {
        await this.#more(options.signal);
        continue;
      }
      index++;
      if (entry.path === path && matches(entry.event.object, options)) yield copy(entry.event) as WatchEvent<T>;
    }
    throw new KubeConnectionError('ABORTED', 'aborted');
  }

  async get<T extends KubeObject>(kind: ResourceKind, name: ObjectName): Promise<T> {
    this.#check('get', kind);
    return copy(this.#found(kind, name)) as T;
  }

  async create<T extends KubeObject>(kind: ResourceKind, object: T): Promise<T> {
    this.#check('create', kind);
    const key = objectKey(object);
    if (this.#of(kind).has(key)) throw new KubeError(409, 'AlreadyExists', `${kind.kind} ${key} already exists`);
    return this.#put('create', kind, object, 'ADDED');
  }

  async update<T extends KubeObject>(kind: ResourceKind, object: T): Promise<T> {
    this.#check('update', kind);
    const { name = '', namespace } = object.metadata ?? {};
    checkMeant(this.#found(kind, { name, namespace }), object);
    return this.#put('update', kind, object, 'MODIFIED');
  }

  async apply<T extends KubeObject>(kind: ResourceKind, object: T, options: ApplyOptions): Promise<T> {
    this.#check('apply', kind);
    const present = this.#of(kind).get(objectKey(object));
    if (!present && options.subresource) throw new KubeError(404, 'NotFound', `${kind.kind} is not there`);
    checkMeant(present, object);
    return this.#put('apply', kind, merge(present ?? {}, object) as T, present ? 'MODIFIED' : 'ADDED');
  }

  async patch<T extends KubeObject>(
    kind: ResourceKind,
    name: ObjectName,
    type: 'json' | 'merge' | 'strategic',
    body: unknown,
    _options?: WriteOptions,
  ): Promise<T> {
    this.#check('patch', kind);
    if (type === 'json') throw new Error('JSON patches are not known to the memory API');
    const present = this.#found(kind, name);
    checkMeant(present, body as KubeObject);
    return this.#put('patch', kind, merge(present, body) as T, 'MODIFIED');
  }

  async delete(kind: ResourceKind, name: ObjectName, { preconditions }: DeleteOptions = {}): Promise<void> {
    this.#check('delete', kind);
    const object = this.#found(kind, name);
    checkMeant(object, { metadata: { ...preconditions } });
    this.#put('delete', kind, object, 'DELETED');
  }

  #put<T extends KubeObject>(verb: string, kind: ResourceKind, object: T, type: 'ADDED' | 'MODIFIED' | 'DELETED'): T {
    const version = ++this.#version;
    const stored: T = copy(object);
    // One that a test gives stays.
    const uid = this.#of(kind).get(objectKey(object))?.metadata?.uid ?? object.metadata?.uid ?? `uid-${version}`;
    stored.metadata = { ...stored.metadata, uid, resourceVersion: String(version) };
    const key = objectKey(object);
    if (type === 'DELETED') this.#of(kind).delete(key);
    else this.#of(kind).set(key, stored);
    this.writes.push(`${verb} ${kind.kind} ${key}`);
    this.#log.push({ path: collectionPath(kind), version, event: { type, object: stored } });
    for (const wake of [...this.#wake]) wake();
    return copy(stored);
  }

  #of(kind: ResourceKind): Map<string, KubeObject> {
    const path = collectionPath(kind);
    const objects = this.#objects.get(path) ?? new Map<string, KubeObject>();
    this.#objects.set(path, objects);
    return objects;
  }

  #found(kind: ResourceKind, { name, namespace }: ObjectName): KubeObject {
    const object = this.#of(kind).get(namespace ? `${namespace}/${name}` : name);
    if (!object) throw new KubeError(404, 'NotFound', `${kind.kind} ${name} not found`);
    return object;
  }

  #check(verb: string, kind: ResourceKind): void {
    const error = this.fail?.(verb, kind);
    if (error) throw error;
  }

  #more(signal: AbortSignal | undefined): Promise<void> {
    return new Promise((resolve) => {
      const done = () => {
        this.#wake.delete(done);
        signal?.removeEventListener('abort', done);
        resolve();
      };
      this.#wake.add(done);
      signal?.addEventListener('abort', done, { once: true });
    });
  }
}

const copy = <T>(value: T): T => structuredClone(value);

/** A write that names a version or a UID is of that object as it was read, and of no other. */
function checkMeant(present: KubeObject | undefined, { metadata: { uid, resourceVersion } = {} }: KubeObject): void {
  const { metadata } = present ?? {};
  const isOther = uid !== undefined && uid !== metadata?.uid;
  if (isOther || (resourceVersion && resourceVersion !== metadata?.resourceVersion)) {
    throw new KubeError(409, 'Conflict', `${metadata?.name} has been modified, or is another`);
  }
}

function matches(object: KubeObject, { namespace, fieldSelector }: Selection) {
  if (namespace && object.metadata?.namespace !== namespace) return false;
  const name = fieldSelector?.match(/^metadata\.name=(.+)$/)?.[1];
  return !name || object.metadata?.name === name;
}

/** RFC 7386, but lists of named objects are merged by name, as strategic merge does. */
function merge(target: unknown, patch: unknown): unknown {
  if (Array.isArray(patch) && Array.isArray(target)) return mergeNamed(target, patch);
  if (typeof patch !== 'object' || patch === null || Array.isArray(patch)) return patch;
  const base = typeof target === 'object' && target !== null && !Array.isArray(target) ? target : {};
  const result: Record<string, unknown> = { ...base };
  for (const [key, value] of Object.entries(patch)) {
    if (value === null) delete result[key];
    else if (value !== undefined) result[key] = merge(result[key], value);
  }
  return result;
}

function mergeNamed(target: readonly { name?: string }[], patch: readonly { name?: string }[]): unknown[] {
  if (!patch.every((item) => typeof item === 'object' && item?.name)) return [...patch];
  const merged = new Map<string | undefined, unknown>(target.map((item) => [item.name, item]));
  for (const item of patch) merged.set(item.name, merge(merged.get(item.name), item));
  return [...merged.values()];
}

/** Waits until a condition holds. */
export async function eventually(check: () => boolean, what = 'it', withinMs = 4000): Promise<void> {
  const deadline = performance.now() + withinMs;
  while (!check()) {
    if (performance.now() > deadline) throw new Error(`${what} did not happen within ${withinMs} ms`);
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
}
