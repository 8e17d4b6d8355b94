import { type CallLabels, readCallLabels, readConnectionLabels } from '../telemetry/history/call-labels.ts';
import { type Edge, edgeId } from '../telemetry/history/edge-table.ts';
import { type NodeNames, UNKNOWN_NODE } from '../telemetry/history/traffic-history.ts';

type Labels = Readonly<Record<string, string>>;

/** Labels that say between whom calls are, in Istio's words. */
const ENDS = ['workload_namespace', 'canonical_service', 'workload', 'principal'];
export const EDGE_LABELS: readonly string[] = [
  'reporter',
  ...ENDS.map((end) => `source_${end}`),
  ...ENDS.map((end) => `destination_${end}`),
  'destination_service',
  'destination_service_name',
  'connection_security_policy',
  // Not one of Istio's: it ends in the revision.
  'upstream_cluster',
];
/** And those that say how calls went. */
export const OUTCOME_LABELS: readonly string[] = ['response_code', 'response_flags', 'grpc_response_status'];

/** Makes edges of series in a Prometheus; equal ones are the same object. */
export class PrometheusCalls {
  readonly #names: Pick<NodeNames, 'ofService' | 'hasSidecars'>;
  readonly #edges = new Map<string, Edge>();

  constructor(names: Pick<NodeNames, 'ofService' | 'hasSidecars'>) {
    this.#names = names;
  }

  /** The edge that a series is of, and what it says of the calls; undefined for calls that others count. */
  read(labels: Labels, transport: 'http' | 'tcp'): { readonly edge: Edge; readonly call: CallLabels } | undefined {
    const given = new Map(Object.entries(labels));
    const call = transport === 'tcp' ? readConnectionLabels(given) : readCallLabels(given);
    if (call === undefined) return undefined;
    const source = nodeOf(labels, 'source') ?? UNKNOWN_NODE;
    const isServers = call.side === 'server';
    if (isServers && (source !== UNKNOWN_NODE || this.#names.hasSidecars(call.peer))) return undefined;
    const edge = this.#shared({
      source: isServers ? UNKNOWN_NODE : source,
      destination: nodeOf(labels, 'destination') ?? this.#called(labels, call),
      transport,
      reporter: isServers ? 'destination' : 'source',
    });
    const revision = labels.upstream_cluster === undefined ? '' : call.revision;
    return { edge, call: { ...call, service: known(labels.destination_service), revision } };
  }

  /** The node whose own sidecar counted a series, and on which side of calls it stood. */
  own(labels: Labels): { readonly node: string; readonly side: 'caller' | 'server' } | undefined {
    const side = labels.reporter === 'destination' ? 'server' : 'caller';
    const node = nodeOf(labels, side === 'server' ? 'destination' : 'source');
    return node === undefined ? undefined : { node, side };
  }

  #called(labels: Labels, { peer }: CallLabels): string {
    const [host, name] = [known(labels.destination_service), known(labels.destination_service_name)];
    if (host !== '') return this.#names.ofService(host, peer, '');
    return name === '' ? UNKNOWN_NODE : `host:${name}`;
  }

  #shared(edge: Edge): Edge {
    const id = edgeId(edge);
    const shared = this.#edges.get(id) ?? edge;
    this.#edges.set(id, shared);
    return shared;
  }
}

function nodeOf(labels: Labels, end: 'source' | 'destination'): string | undefined {
  const namespace = known(labels[`${end}_workload_namespace`]);
  const name = known(labels[`${end}_canonical_service`]) || known(labels[`${end}_workload`]);
  return namespace === '' || name === '' ? undefined : `${namespace}/${name}`;
}

function known(value = ''): string {
  return value === 'unknown' || value === '-' ? '' : value;
}
