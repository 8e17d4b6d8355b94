import type { TrustRotation } from '../../../api/trust-rotation.ts';
import type { EventDetails } from '../../../kube/event-recorder.ts';
import { NAMESPACE, TRUST_ROTATION } from '../../../kube/kinds.ts';
import { silentLogger } from '../../../kube/logger.ts';
import type { KubeObject } from '../../../kube/object.ts';
import { Reflector } from '../../../kube/reflector.ts';
import { eventually, type MemoryApi } from '../../../kube/testing/memory-api.ts';
import { trustVersion } from '../secret-resource.ts';
import { type Certificates, startCertificates } from '../start.ts';
import type { ProxyTrust, ProxyTrustSource } from '../trust-survey.ts';
import { SHORT } from './chain.ts';

/** Proxies that acknowledge when they are told to. */
export class Proxies implements ProxyTrustSource {
  readonly list: { -readonly [K in keyof ProxyTrust]: ProxyTrust[K] }[] = [];
  readonly #listeners = new Set<() => void>();
  proxies = () => this.list;
  whole = () => true;
  onChange(listener: () => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }
  take(index: number, { authority }: Certificates): void {
    const bundle = trustVersion(authority.trustBundle);
    this.list[index] = { pod: `shop/p${index}`, connected: true, bundle, generation: authority.generation };
    for (const listener of this.#listeners) listener();
  }
}

export interface Leader extends Certificates {
  readonly events: string[];
  readonly end: () => Promise<void>;
}

/**
 * A control plane that leads, with a root.
 * @param cleanups what ends it is added here
 */
export async function startLeader(
  api: MemoryApi,
  proxies: ProxyTrustSource,
  cleanups: (() => unknown)[],
): Promise<Leader> {
  const plane = await startReplica(api, proxies);
  const abort = new AbortController();
  plane.lead(abort.signal);
  const end = async () => {
    abort.abort();
    await plane.end();
  };
  cleanups.push(end);
  await eventually(() => plane.authority.state !== undefined);
  return { ...plane, end };
}

/** A control plane that does not lead yet. */
export async function startReplica(api: MemoryApi, proxies: ProxyTrustSource): Promise<Leader> {
  const namespaces = new Reflector<KubeObject>({ api, kind: NAMESPACE, backoffMs: [1, 5] });
  await namespaces.start();
  const events: string[] = [];
  const record = ({ kind }: KubeObject, { reason, message }: EventDetails) =>
    void events.push(`${kind} ${reason}: ${message}`);
  const certificates = startCertificates({
    api,
    namespace: 'heddle-system',
    // Nothing here is to end because time is over.
    lifetimes: { ...SHORT, rootMs: 3_600_000, intermediateMs: 600_000, workloadMs: 60_000, propagationMs: 50 },
    namespaces: namespaces.store,
    destinationRules: { list: () => [].values() },
    trustDomain: 'cluster.local',
    clusterDomain: 'cluster.local',
    events: { record },
    proxies,
    logger: silentLogger,
  });
  const end = async () => {
    await certificates.stop();
    await namespaces.stop();
  };
  return { ...certificates, events, end };
}

/** Asks for a rotation. */
export const ask = (api: MemoryApi, name: string) =>
  api.create<TrustRotation>(TRUST_ROTATION, { metadata: { name }, spec: { abort: false } });

/** The status of a TrustRotation, with its condition at hand. */
export async function statusOf(api: MemoryApi, name: string) {
  const { status } = await api.get<TrustRotation>(TRUST_ROTATION, { name });
  const [complete] = status?.conditions ?? [];
  return { ...status, message: complete?.message ?? '', complete: complete?.status };
}

/** Waits until a status says something. */
export async function until(
  api: MemoryApi,
  name: string,
  says: (status: Awaited<ReturnType<typeof statusOf>>) => boolean,
) {
  for (const deadline = performance.now() + 8000; ; ) {
    const status = await statusOf(api, name).catch(() => undefined);
    if (status && says(status)) return status;
    if (performance.now() > deadline)
      throw new Error(`TrustRotation ${name} did not get there: ${JSON.stringify(status)}`);
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
}
/** Whether a status is in a phase. */
export const phase = (wanted: string) => (status: { phase?: string | undefined }) => status.phase === wanted;
