import type { V1Pod } from '@kubernetes/client-node';
import type { Condition } from '../../../api/condition.ts';
import { MeshBuilder } from '../../mesh/mesh-builder.ts';
import type { MeshChange } from '../../mesh/mesh-object.ts';
import type { ObjectRef } from '../../mesh/object-ref.ts';
import { peerAuthentication, pod, SETTINGS } from '../../mesh/testing/objects.ts';
import type { EnforcementSource } from '../enforcement.ts';
import { isOurs, type PolicyObject, type PolicyObjects, type PolicyStatus } from '../policy-objects.ts';
import { StatusWriter, type StatusWriterOptions } from '../status-writer.ts';
import { FakeClock } from './fake-clock.ts';

/** A PeerAuthentication of the namespace `shop`. */
export const ref = (name: string): ObjectRef => ({ kind: 'PeerAuthentication', namespace: 'shop', name });

/** Objects as an API server keeps them, with a store that shows each write at once. */
class FakeObjects implements PolicyObjects {
  readonly kinds = new Set(['PeerAuthentication']);
  readonly stored = new Map<string, PolicyObject>();
  readonly writes: { name: string; status: PolicyStatus }[] = [];
  failure: Error | undefined;

  get({ name }: ObjectRef): PolicyObject | undefined {
    return this.stored.get(name);
  }

  *withStatus(): Generator<ObjectRef> {
    for (const [name, { status }] of this.stored) if (isOurs(status)) yield ref(name);
  }

  applyStatus({ name }: ObjectRef, uid: string, status: PolicyStatus): Promise<void> {
    if (this.failure) return Promise.reject(this.failure);
    this.writes.push({ name, status });
    this.stored.set(name, { uid, status });
    return Promise.resolve();
  }
}

/** Proxies that acknowledge when told to. */
class FakeProxies implements EnforcementSource {
  readonly states = new Map<string, boolean | 'unknown' | string>();
  readonly listeners = new Set<(uids: ReadonlySet<string>) => void>();

  inForce(uid: string): boolean | 'unknown' {
    const state = this.states.get(uid) ?? 'unknown';
    return typeof state === 'boolean' || state === 'unknown' ? state : false;
  }
  rejection(uid: string): string | undefined {
    const state = this.states.get(uid);
    return typeof state === 'string' && state !== 'unknown' ? state : undefined;
  }
  reports(uid: string): boolean {
    return this.inForce(uid) !== 'unknown';
  }
  refuses(uid: string): string {
    return this.rejection(uid) ?? '';
  }
  onChange(listener: (uids: ReadonlySet<string>) => void): () => void {
    this.listeners.add(listener);
    return () => this.listeners.delete(listener);
  }
  set(uid: string, state: boolean | 'unknown' | string): void {
    this.states.set(uid, state);
    for (const listener of this.listeners) listener(new Set([uid]));
  }
}

/** A status writer over PeerAuthentications of the namespace `shop` in a mesh. */
export function setUp(options: Partial<StatusWriterOptions> = {}) {
  const clock = new FakeClock();
  const objects = new FakeObjects();
  const proxies = new FakeProxies();
  const builder = new MeshBuilder(SETTINGS);
  const writer = new StatusWriter({ objects, enforcement: proxies, clock, ...options });
  const apply = (...changes: MeshChange[]) => {
    const { snapshot, delta } = builder.apply(changes);
    writer.update(snapshot, delta);
  };
  const addPolicy = (name: string, generation = 1) => {
    const object = peerAuthentication(`shop/${name}`, {
      selector: { matchLabels: { app: name } },
      mtls: { mode: 'STRICT' },
    });
    object.metadata.generation = generation;
    if (!objects.stored.has(name)) objects.stored.set(name, { uid: name, status: {} });
    apply({ kind: 'PeerAuthentication', key: `shop/${name}`, object });
  };
  const addPod = (name: string, app: string, more: Parameters<typeof pod>[1] = {}) => {
    const object: V1Pod = pod(name, { labels: { app }, ...more });
    apply({ kind: 'Pod', key: `shop/${name}`, object });
  };
  const condition = (name: string, type: string): Condition | undefined =>
    objects.stored.get(name)?.status.conditions?.find((one) => one.type === type);
  const programmed = (name: string) => {
    const found = condition(name, 'Programmed');
    return found && `${found.status}: ${found.message}`;
  };
  return { clock, objects, proxies, writer, apply, addPolicy, addPod, condition, programmed };
}
