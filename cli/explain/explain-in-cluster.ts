import { isHttp } from '../../operator/mesh/protocol.ts';
import type { MeshService, MeshSnapshot } from '../../operator/mesh/snapshot.ts';
import { routablePorts } from '../../operator/xds/routable-ports.ts';
import type { Cluster } from '../cluster-options.ts';
import { buildMesh, listMeshObjects } from '../snapshot/read-mesh.ts';
import { redactPath } from '../tap/redact.ts';
import { serviceByDns } from './called-names.ts';
import { explainCall } from './explain-call.ts';
import { compareLive } from './live.ts';
import { OutboundView } from './outbound-view.ts';
import { choosePort, type Destination, findCaller, similarHosts } from './places.ts';
import type { Report } from './report.ts';
import type { HttpRequest } from './request.ts';

/** A question as the command line has it. */
export interface Question {
  readonly from: string;
  readonly destination: Destination;
  readonly method?: string;
  readonly path?: string;
  readonly headers: readonly (readonly [string, string])[];
  readonly tcp?: boolean;
  readonly live: boolean;
}

/** Ports that are HTTP to everybody but the mesh, where TLS begins at the caller. */
const TLS_NOTE = 'the caller speaks TLS itself: the mesh sees bytes alone, and decides by connection';

/** Answers a question by what there is in the cluster. @throws {CliError} when the caller, or the port, can't be told */
export async function explainInCluster(cluster: Cluster, question: Question): Promise<Report> {
  const read = await listMeshObjects(cluster.api);
  const { snapshot, unreadable } = buildMesh(read);
  const pod = findCaller(read.objects, cluster.namespace, question.from);
  const workload = snapshot.workloads.get(pod.uid);
  const { destination } = question;
  const view = workload && new OutboundView(snapshot, workload);
  const service = view ? view.service(destination.host) : serviceByDns(snapshot, pod.namespace, destination.host);
  const port = choosePort(destination, service);
  const request = requestOf(question, port, isOpaque(service, port));
  const caller = { namespace: pod.namespace, address: pod.addresses[0] ?? '', ...(workload && { workload }) };
  const call = { caller, host: destination.host, port, now: Date.now() / 1000, ...(request && { request }) };
  const explanation = explainCall(snapshot, call, view);
  const live = question.live ? await compareLive(cluster, snapshot, workload, explanation, port) : [];
  return {
    from: { pod: pod.key, ...(workload && { identity: workload.spiffeId.replace('spiffe://', '') }) },
    to: { text: textOf(destination.host, port, request), host: destination.host, port },
    explanation,
    live,
    notes: [
      ...read.notes,
      ...unreadable.map(({ kind, key }) => `${kind} ${key} can't be read, and is left out`),
      ...(destination.scheme === 'https' ? [TLS_NOTE] : []),
      ...strangerNote(snapshot, service, destination.host),
    ],
  };
}

function strangerNote(snapshot: MeshSnapshot, service: MeshService | undefined, host: string): string[] {
  if (service !== undefined) return [];
  const alike = similarHosts(snapshot, host);
  return alike.length === 0 ? [] : [`the caller knows no service ${host}; did you mean ${alike.join(' or ')}?`];
}

function isOpaque(service: MeshService | undefined, port: number): boolean {
  const declared = service && routablePorts(service).find((one) => one.port === port);
  return declared !== undefined && !isHttp(declared.protocol);
}

function requestOf(
  { destination, tcp, method, path, headers }: Question,
  port: number,
  opaque: boolean,
): HttpRequest | undefined {
  const told = destination.path !== undefined || method !== undefined || path !== undefined || headers.length > 0;
  if (tcp === true || destination.scheme === 'https' || (opaque && !told)) return undefined;
  const authority = port === 80 ? destination.host : `${destination.host}:${port}`;
  const given = headers.find(([name]) => name.toLowerCase() === 'host')?.[1];
  return {
    method: method?.toUpperCase() ?? 'GET',
    scheme: 'http',
    authority: given ?? authority,
    path: path ?? destination.path ?? '/',
    headers: headers.filter(([name]) => name.toLowerCase() !== 'host'),
  };
}

/** What is called, as it may be shown; absent request: bytes. */
export function textOf(host: string, port: number, request: HttpRequest | undefined): string {
  if (request === undefined) return `a connection to ${host}:${port}`;
  return `${request.method} http://${request.authority}${redactPath(request.path)}`;
}
