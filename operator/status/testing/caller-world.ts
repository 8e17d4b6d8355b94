import { Map as PersistentMap } from 'immutable';
import type { Condition } from '../../../api/condition.ts';
import { type ObjectKey, type ObjectRef, objectKey } from '../../mesh/object-ref.ts';
import type { MeshDelta, MeshSnapshot, PolicyReach, PolicyView, Workload, WorkloadUid } from '../../mesh/snapshot.ts';
import { SETTINGS } from '../../mesh/testing/objects.ts';
import type { EnforcementSource } from '../enforcement.ts';
import { isOurs, type PolicyObject, type PolicyObjects, type PolicyStatus } from '../policy-objects.ts';
import { StatusWriter, type StatusWriterOptions } from '../status-writer.ts';
import { FakeClock } from './fake-clock.ts';

/** Proxies that have acknowledged versions of policies; `asked` counts how often they are asked about one. */
export class CallerProxies implements EnforcementSource {
  asked = 0;
  /** By proxy, the policies that it has not acknowledged as they are now. */
  readonly behind = new Map<WorkloadUid, Set<ObjectKey>>();
  readonly silent = new Set<WorkloadUid>();
  readonly unused = new Set<ObjectKey>();
  readonly refused = new Map<WorkloadUid, string>();
  readonly listeners = new Set<(uids: ReadonlySet<WorkloadUid>) => void>();

  inForce(uid: WorkloadUid, policy: ObjectKey): boolean | 'unknown' | 'unused' {
    this.asked += 1;
    if (this.unused.has(policy)) return 'unused';
    if (this.silent.has(uid)) return 'unknown';
    return this.behind.get(uid)?.has(policy) !== true;
  }
  rejection(uid: WorkloadUid): string | undefined {
    return this.refused.get(uid);
  }
  reports(uid: WorkloadUid): boolean {
    return !this.silent.has(uid);
  }
  refuses(uid: WorkloadUid): string {
    return this.refused.get(uid) ?? '';
  }
  onChange(listener: (uids: ReadonlySet<WorkloadUid>) => void): () => void {
    this.listeners.add(listener);
    return () => this.listeners.delete(listener);
  }

  /** Proxies do not have what a policy says now. */
  delay(policy: ObjectKey, uids: Iterable<WorkloadUid>): void {
    for (const uid of uids) this.behind.set(uid, (this.behind.get(uid) ?? new Set()).add(policy));
  }
  /** A proxy acknowledges all that it was sent. */
  acknowledge(uid: WorkloadUid): void {
    this.behind.delete(uid);
    this.tell(uid);
  }
  tell(...uids: WorkloadUid[]): void {
    for (const listener of this.listeners) listener(new Set(uids));
  }
}

const NOTHING: MeshDelta = {
  services: new Set(),
  endpoints: new Set(),
  workloads: new Set(),
  routeRules: new Set(),
  destinationPolicies: new Set(),
  sidecars: new Set(),
  policies: new Set(),
  settings: false,
};

export const ref = (name: string): ObjectRef => ({ kind: 'VirtualService', namespace: 'shop', name });
export const EVERYBODY: PolicyReach = { kind: 'clients', visibility: '*', labels: {} };

/** VirtualServices in a mesh, as the status writer sees both. */
export class CallerWorld implements PolicyObjects {
  readonly clock = new FakeClock();
  readonly proxies = new CallerProxies();
  readonly kinds = new Set(['VirtualService']);
  readonly stored = new Map<string, PolicyObject>();
  readonly writer: StatusWriter;
  writes = 0;
  /** Called when the store shows a write. */
  onWrite: (ref: ObjectRef) => void = () => {};
  #workloads = PersistentMap<WorkloadUid, Workload>();
  #policies = PersistentMap<ObjectKey, PolicyView>();

  constructor(options: Partial<StatusWriterOptions> = {}) {
    this.writer = new StatusWriter({ objects: this, enforcement: this.proxies, clock: this.clock, ...options });
  }

  get({ name }: ObjectRef): PolicyObject | undefined {
    return this.stored.get(name);
  }

  *withStatus(): Generator<ObjectRef> {
    for (const [name, { status }] of this.stored) if (isOurs(status)) yield ref(name);
  }

  applyStatus(object: ObjectRef, uid: string, status: PolicyStatus): Promise<void> {
    this.writes += 1;
    this.stored.set(object.name, { uid, status });
    this.onWrite(object);
    return Promise.resolve();
  }

  addPods(names: readonly string[], namespace = 'shop', more: Partial<Workload> = {}): void {
    const pods = names.map((name) => ({
      uid: name,
      name,
      namespace,
      labels: {},
      mtls: { policies: [] },
      authorization: [],
      tokens: [],
      rateLimits: [],
      proxyStarted: true,
      ...more,
    }));
    // A cast, for status reads no more of a workload than this.
    for (const pod of pods as unknown as Workload[]) this.#workloads = this.#workloads.set(pod.uid, pod);
    this.update({ workloads: new Set(names) });
  }

  removePod(name: string): void {
    this.#workloads = this.#workloads.delete(name);
    this.update({ workloads: new Set([name]) });
  }

  /** Policies that came, or changed to the given generation. */
  put(names: readonly string[], generation = 1, more: Partial<PolicyView> = {}): void {
    const keys = new Set<ObjectKey>();
    this.#policies = this.#policies.withMutations((policies) => {
      for (const name of names) {
        const object = ref(name);
        const view = { object, generation, reach: EVERYBODY, selected: 0, problems: [], notes: [], ...more };
        policies.set(objectKey(object), view);
        keys.add(objectKey(object));
        if (!this.stored.has(name)) this.stored.set(name, { uid: name, status: {} });
      }
    });
    this.update({ policies: keys });
  }

  update(delta: Partial<MeshDelta>): void {
    const empty = PersistentMap<string, never>();
    const snapshot: MeshSnapshot = {
      settings: SETTINGS,
      services: empty,
      endpoints: empty,
      workloads: this.#workloads,
      routeRules: empty,
      destinationPolicies: empty,
      sidecars: empty,
      policies: this.#policies,
    };
    this.writer.update(snapshot, { ...NOTHING, ...delta });
  }

  condition(name: string, type: string): Condition | undefined {
    return this.stored.get(name)?.status.conditions?.find((one) => one.type === type);
  }

  programmed(name: string): string | undefined {
    const found = this.condition(name, 'Programmed');
    return found && `${found.status}: ${found.message}`;
  }
}

/** `prefix0`, `prefix1` and so on. */
export function names(prefix: string, count: number): string[] {
  return Array.from({ length: count }, (_, index) => `${prefix}${index}`);
}
