import type { Condition } from '../../api/condition.ts';
import type { KubeApi } from '../../kube/kube-api.ts';
import { isConflict, isNotFound } from '../../kube/kube-error.ts';
import type { KubeObject } from '../../kube/object.ts';
import type { ResourceKind } from '../../kube/resource-kind.ts';
import { applyStatus } from '../../kube/status.ts';
import type { ReadStore } from '../../kube/store.ts';
import type { ObjectRef } from '../mesh/object-ref.ts';

/** The status that policies share; a type, for it goes into the API server's JSON as it is. */
export interface PolicyStatus {
  readonly observedGeneration?: number | undefined;
  readonly conditions?: readonly Condition[] | undefined;
}

/** A policy's object as the API server has it. */
export interface PolicyObject {
  readonly uid: string;
  readonly status: PolicyStatus;
}

/** Where policies' objects are read and their status is written. */
export interface PolicyObjects {
  /** Kinds whose status this room writes. */
  readonly kinds: ReadonlySet<string>;
  /** @returns undefined when the object is not there (any more) */
  get(ref: ObjectRef): PolicyObject | undefined;
  /** Objects that have a status of ours. */
  withStatus(): Iterable<ObjectRef>;
  /**
   * Puts a status in place of what Heddle wrote before; an empty one takes it back. An object that is gone is no error.
   * @throws when the API server did not take it
   */
  applyStatus(ref: ObjectRef, uid: string, status: PolicyStatus): Promise<void>;
}

/** Whether a status is one that we wrote: nobody else has this condition. */
export function isOurs(status: PolicyStatus | undefined): boolean {
  return status?.conditions?.some(({ type }) => type === 'Programmed') === true;
}

/** What a store of policies holds. */
export type StoredPolicy = KubeObject & { readonly status?: PolicyStatus };

/** A kind of policy and the store that follows it. */
export interface PolicyKind {
  readonly kind: ResourceKind;
  readonly store: Pick<ReadStore<StoredPolicy>, 'get' | 'list'>;
}

const FIELD_MANAGER = 'heddle-status';

/** Reads policies from stores and writes their status by server-side apply. */
export class KubePolicyObjects implements PolicyObjects {
  readonly kinds: ReadonlySet<string>;
  readonly #api: Pick<KubeApi, 'apply'>;
  readonly #kinds: ReadonlyMap<string, PolicyKind>;

  constructor(api: Pick<KubeApi, 'apply'>, kinds: readonly PolicyKind[]) {
    this.#api = api;
    this.#kinds = new Map(kinds.map((entry) => [entry.kind.kind, entry]));
    this.kinds = new Set(this.#kinds.keys());
  }

  get({ kind, namespace, name }: ObjectRef): PolicyObject | undefined {
    const object = this.#kinds.get(kind)?.store.get(`${namespace}/${name}`);
    return object && { uid: object.metadata?.uid ?? '', status: object.status ?? {} };
  }

  *withStatus(): Generator<ObjectRef> {
    for (const [kind, { store }] of this.#kinds) {
      for (const { metadata, status } of store.list()) {
        const { namespace = '', name = '' } = metadata ?? {};
        if (isOurs(status)) yield { kind, namespace, name };
      }
    }
  }

  async applyStatus({ kind, namespace, name }: ObjectRef, uid: string, status: PolicyStatus): Promise<void> {
    const entry = this.#kinds.get(kind);
    if (entry === undefined) throw new Error(`the status of ${kind} is not ours to write`);
    try {
      await applyStatus(this.#api, entry.kind, { name, namespace, uid }, status, FIELD_MANAGER);
    } catch (error) {
      // Deleted, or deleted and made anew: its successor is judged on its own.
      if (!isNotFound(error) && !isConflict(error)) throw error;
    }
  }
}
