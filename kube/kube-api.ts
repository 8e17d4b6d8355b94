import { isGone } from './kube-error.ts';
import type { KubeObject, ObjectName } from './object.ts';
import { apiVersionOf, collectionPath, objectPath, type ResourceKind } from './resource-kind.ts';
import type { Transport } from './transport.ts';
import { readWatch, type WatchEvent } from './watch-stream.ts';

export interface Selection {
  /** All namespaces when absent. */
  readonly namespace?: string | undefined;
  readonly labelSelector?: string | undefined;
  readonly fieldSelector?: string | undefined;
}

export interface ListOptions extends Selection {
  /** Objects per page; default 500. */
  readonly limit?: number;
  readonly signal?: AbortSignal | undefined;
}

export interface WatchOptions extends Selection {
  readonly resourceVersion: string;
  /** After how long the server ends the watch by itself; seconds, default 300. */
  readonly timeoutSeconds?: number;
  /** After how long without a byte the stream counts as dead; milliseconds, default 120,000 (bookmarks come each minute). */
  readonly idleMs?: number;
  readonly signal?: AbortSignal | undefined;
}

export interface ListResult<T> {
  readonly items: T[];
  readonly resourceVersion: string;
}

export interface WriteOptions {
  readonly fieldManager?: string;
  readonly dryRun?: boolean;
  readonly subresource?: string;
  readonly signal?: AbortSignal | undefined;
  readonly timeoutMs?: number;
}

export interface ApplyOptions extends WriteOptions {
  readonly fieldManager: string;
  /** Takes over fields that others own; default true. */
  readonly force?: boolean;
}

export interface DeleteOptions {
  readonly preconditions?: { uid?: string; resourceVersion?: string };
  readonly propagationPolicy?: 'Background' | 'Foreground' | 'Orphan';
  readonly gracePeriodSeconds?: number;
}

const PATCH_TYPES = {
  json: 'application/json-patch+json',
  merge: 'application/merge-patch+json',
  strategic: 'application/strategic-merge-patch+json',
} as const;

interface ListPage<T> {
  items?: T[] | null;
  metadata?: { resourceVersion?: string; continue?: string };
}

/** Typed access to a Kubernetes API server. All methods throw `KubeError` and `KubeConnectionError`. */
export class KubeApi {
  readonly transport: Transport;

  constructor(transport: Transport) {
    this.transport = transport;
  }

  /** Lists a collection page by page; a page's items lack apiVersion and kind, so they are filled in. */
  async list<T extends KubeObject>(kind: ResourceKind, options: ListOptions = {}): Promise<ListResult<T>> {
    const { namespace, labelSelector, fieldSelector, limit = 500, signal } = options;
    const path = collectionPath(kind, namespace);
    let items: T[] = [];
    let next: string | undefined;
    let resourceVersion = '';
    do {
      const query = { labelSelector, fieldSelector, limit, continue: next };
      const ask = { method: 'GET', path, signal, timeoutMs: 60_000 } as const;
      const page = await this.transport.json<ListPage<T>>({ ...ask, query }).catch((error: unknown) => {
        if (!next || !isGone(error)) throw error;
        // The continue token outlived its snapshot (compaction): one whole answer instead.
        items = [];
        return this.transport.json<ListPage<T>>({ ...ask, query: { labelSelector, fieldSelector } });
      });
      for (const item of page.items ?? []) items.push(item);
      resourceVersion = page.metadata?.resourceVersion ?? '';
      next = page.metadata?.continue || undefined;
    } while (next);
    const apiVersion = apiVersionOf(kind);
    for (const item of items) {
      item.apiVersion ??= apiVersion;
      item.kind ??= kind.kind;
    }
    return { items, resourceVersion };
  }

  /** Streams the changes after a resourceVersion; see `readWatch` for how it ends. */
  async *watch<T extends KubeObject>(kind: ResourceKind, options: WatchOptions): AsyncGenerator<WatchEvent<T>> {
    const { namespace, labelSelector, fieldSelector, resourceVersion, timeoutSeconds = 300, idleMs, signal } = options;
    const body = await this.transport.stream({
      method: 'GET',
      path: collectionPath(kind, namespace),
      query: { watch: 1, allowWatchBookmarks: true, labelSelector, fieldSelector, resourceVersion, timeoutSeconds },
      signal,
    });
    yield* readWatch<T>(body, idleMs ?? 120_000);
  }

  get<T extends KubeObject>(kind: ResourceKind, name: ObjectName, subresource?: string): Promise<T> {
    return this.transport.json<T>({ method: 'GET', path: objectPath(kind, name, subresource) });
  }

  /** Creates an object in its own namespace; also for reviews, which come back with their status. */
  create<T extends KubeObject>(kind: ResourceKind, object: T, options: WriteOptions = {}): Promise<T> {
    const path = collectionPath(kind, object.metadata?.namespace);
    return this.#write('POST', path, { apiVersion: apiVersionOf(kind), kind: kind.kind, ...object }, options);
  }

  /** Replaces an object; with `metadata.resourceVersion` set, only if nobody changed it (else 409). */
  update<T extends KubeObject>(kind: ResourceKind, object: T, options: WriteOptions = {}): Promise<T> {
    const path = objectPath(kind, nameOf(object), options.subresource);
    return this.#write('PUT', path, { apiVersion: apiVersionOf(kind), kind: kind.kind, ...object }, options);
  }

  /** Patches an object: RFC 6902 (`json`), RFC 7386 (`merge`) or strategic merge. */
  patch<T extends KubeObject>(
    kind: ResourceKind,
    name: ObjectName,
    type: keyof typeof PATCH_TYPES,
    body: unknown,
    options: WriteOptions = {},
  ): Promise<T> {
    return this.#write('PATCH', objectPath(kind, name, options.subresource), body, options, PATCH_TYPES[type]);
  }

  /** Server-side apply; `options.subresource` (for example `status`) applies to that alone. */
  apply<T extends KubeObject>(kind: ResourceKind, object: T, options: ApplyOptions): Promise<T> {
    const body = { apiVersion: apiVersionOf(kind), kind: kind.kind, ...object };
    const path = objectPath(kind, nameOf(object), options.subresource);
    // JSON is YAML, so the apply content type takes it.
    return this.#write('PATCH', path, body, options, 'application/apply-patch+yaml', { force: options.force ?? true });
  }

  /** Deletes an object; a failed precondition is a 409. */
  async delete(kind: ResourceKind, name: ObjectName, options: DeleteOptions = {}): Promise<void> {
    const body = { apiVersion: 'v1', kind: 'DeleteOptions', ...options };
    await this.transport.json({ method: 'DELETE', path: objectPath(kind, name), body });
  }

  /** POSTs to a subresource: `serviceaccounts/token`, `pods/eviction`. */
  createSubresource<T>(kind: ResourceKind, name: ObjectName, subresource: string, body: unknown): Promise<T> {
    return this.transport.json<T>({ method: 'POST', path: objectPath(kind, name, subresource), body });
  }

  /** GETs any path, for example `/version`; gives JSON, or text where it is none. */
  raw<T>(path: string, query: Readonly<Record<string, string | number | boolean | undefined>> = {}): Promise<T> {
    return this.transport.json<T>({ method: 'GET', path, query });
  }

  /** Closes all connections, so that the process can end. */
  close(): void {
    this.transport.close();
  }

  #write<T>(
    method: 'POST' | 'PUT' | 'PATCH',
    path: string,
    body: unknown,
    { fieldManager, dryRun, signal, timeoutMs }: WriteOptions,
    contentType = 'application/json',
    extra: Readonly<Record<string, boolean>> = {},
  ): Promise<T> {
    const query = { fieldManager, dryRun: dryRun ? 'All' : undefined, ...extra };
    return this.transport.json<T>({ method, path, query, body, contentType, signal, timeoutMs });
  }
}

function nameOf(object: KubeObject): ObjectName {
  return { name: object.metadata?.name ?? '', namespace: object.metadata?.namespace };
}
