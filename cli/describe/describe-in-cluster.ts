import type { V1Pod, V1Service } from '@kubernetes/client-node';
import { type ObjectRef, objectKey } from '../../operator/mesh/object-ref.ts';
import type { MeshSnapshot, Workload } from '../../operator/mesh/snapshot.ts';
import { wholeDelta } from '../../operator/xds/whole-delta.ts';
import { XdsCache } from '../../operator/xds/xds-cache.ts';
import { analyze } from '../analyze/analysis.ts';
import { plainObjects } from '../analyze/analyze-places.ts';
import type { Message } from '../analyze/message.ts';
import { CliError } from '../cli-error.ts';
import type { Cluster } from '../cluster-options.ts';
import { askSidecar, compareServer } from '../explain/live.ts';
import { findCaller } from '../explain/places.ts';
import type { LiveFinding } from '../explain/report.ts';
import { buildMesh, listMeshObjects, type MeshObjects } from '../snapshot/read-mesh.ts';
import { nearest } from '../terminal/nearest.ts';
import { type DescribedPod, describePod } from './described-pod.ts';
import { type DescribedService, describeService, rulesAbout, workloadsOf } from './described-service.ts';
import type { Description } from './words.ts';

/** Describes a pod of the cluster, or the first of a workload's. @throws {CliError} when there is none */
export async function describePodIn(
  cluster: Cluster,
  name: string,
  isLive: boolean,
): Promise<Description<DescribedPod>> {
  const read = await listMeshObjects(cluster.api);
  const { snapshot } = buildMesh(read);
  const { uid, namespace, name: podName } = findCaller(read.objects, cluster.namespace, name);
  const pod = read.objects.find((one) => one.kind === 'Pod' && one.object.metadata?.uid === uid)?.object as V1Pod;
  const own = read.objects.find((one) => one.kind === 'Namespace' && one.object.metadata?.name === namespace);
  const labels = own?.kind === 'Namespace' ? own.object.metadata?.labels : undefined;
  const described = describePod(snapshot, pod, { name: namespace, labels: labels ?? {}, istioInstalled: false });
  const workload = snapshot.workloads.get(uid);
  const applied = workload === undefined ? [] : refsOf(snapshot, workload);
  const services = described.services.map((key): ObjectRef => refFrom('Service', key));
  const messages = messagesOf(read, [
    { kind: 'Pod', namespace, name: podName },
    { kind: 'Namespace', namespace: '', name: namespace },
    ...services,
    ...applied,
  ]);
  const live = isLive && workload !== undefined ? await liveOf(cluster, snapshot, [workload]) : [];
  return { described, messages, live, notes: read.notes };
}

/** Describes a Service of the cluster. @param text NAME, NAMESPACE/NAME or NAME.NAMESPACE @throws {CliError} when there is none */
export async function describeServiceIn(
  cluster: Cluster,
  text: string,
  isLive: boolean,
): Promise<Description<DescribedService>> {
  const read = await listMeshObjects(cluster.api);
  const { snapshot } = buildMesh(read);
  const [first = '', second] = text.split('/');
  const [name = '', own] = second === undefined ? text.split('.') : [second, first];
  const namespace = own ?? cluster.namespace;
  const service = snapshot.services.get(`${name}.${namespace}.svc.${snapshot.settings.clusterDomain}`);
  if (service === undefined) {
    const names = [...snapshot.services.values()].filter((one) => one.namespace === namespace).map((one) => one.name);
    const alike = nearest(name, names);
    const next =
      alike.length > 0
        ? `did you mean ${alike.join(' or ')}?`
        : `there are: ${names.slice(0, 10).join(', ') || 'none'}`;
    throw new CliError(`there is no Service ${name} in namespace ${namespace}`, next);
  }
  const written = read.objects.find(
    (one) =>
      one.kind === 'Service' && one.object.metadata?.name === name && one.object.metadata.namespace === namespace,
  );
  const described = describeService(snapshot, service, written?.object as V1Service | undefined);
  const workloads = workloadsOf(snapshot, service);
  const { routes, destinations } = rulesAbout(snapshot, service);
  const refs = [...routes, ...destinations].map(({ object }) => object);
  const messages = messagesOf(read, [service.object, ...refs, ...workloads.flatMap((one) => refsOf(snapshot, one))]);
  const live = isLive ? await liveOf(cluster, snapshot, workloads.slice(0, MOST_ASKED)) : [];
  return { described, messages, live, notes: read.notes };
}

/** Of the pods of a Service so many are asked. */
const MOST_ASKED = 5;

function refFrom(kind: string, key: string): ObjectRef {
  const [namespace = '', name = ''] = key.split('/');
  return { kind, namespace, name };
}

function refsOf(
  { sidecars }: MeshSnapshot,
  { mtls, authorization, tokens, rateLimits, sidecar }: Workload,
): ObjectRef[] {
  const scope = sidecar === undefined ? undefined : sidecars.get(sidecar);
  const attached = [...authorization, ...tokens, ...rateLimits].map(({ rules }) => rules.ref);
  return [...mtls.policies, ...attached, ...(scope === undefined ? [] : [scope.object])];
}

/** What analysis says of some objects. */
function messagesOf(read: MeshObjects, refs: readonly ObjectRef[]): Message[] {
  const keys = new Set(refs.map(objectKey));
  const keysOfTokens = read.objects.filter(({ kind }) => kind === 'Jwks');
  const input = {
    config: read.config,
    files: [],
    cluster: plainObjects(read),
    keys: keysOfTokens,
    namespace: '',
  };
  return analyze(input).filter(({ object }) => keys.has(objectKey(object)));
}

async function liveOf(
  { config }: Cluster,
  snapshot: MeshSnapshot,
  workloads: readonly Workload[],
): Promise<LiveFinding[]> {
  const cache = new XdsCache();
  cache.update(snapshot, wholeDelta(snapshot));
  const found = await Promise.all(
    workloads.map((one) => askSidecar(config, one, (admin) => compareServer(admin, cache, one))),
  );
  return found.flat();
}
