import { bucketCounts } from '../durations.ts';
import { readFlowKey } from '../flow-series.ts';
import { type DurationBuckets, decodeLabels, type Sample } from '../metrics-message.ts';
import { clusterOf } from '../open-series.ts';
import type { Refusal } from '../refusals.ts';
import { type CallLabels, readCallLabels, readConnectionLabels } from './call-labels.ts';
import { CounterSlices, type SliceSettings, type SliceWindow } from './counter-slices.ts';
import { type Counter, type Edge, EdgeTable, type TableBounds } from './edge-table.ts';

/** Node of callers without an identity, and of what was called that nothing is known of. */
export const UNKNOWN_NODE = 'unknown';

/** Port: which nodes pods, services and identities belong to. */
export interface NodeNames {
  /** Node of a pod; undefined when the pod is gone. */
  ofPod(uid: string): string | undefined;
  /**
   * Node that answers for a hostname.
   * @param principal the SPIFFE ID that answered; '' where none was seen
   * @param named the node that its certificate says it is of; '' where none was seen
   */
  ofService(hostname: string, principal: string, named: string): string;
  /** Whether connections to a port are opaque, as the port is declared. */
  isTcp(hostname: string, port: number): boolean;
  /** The same of a port of a pod. */
  isTcpOfPod(uid: string, port: number): boolean;
  /** Whether callers with the SPIFFE ID have sidecars, which count their calls themselves. */
  hasSidecars(principal: string): boolean;
}

/** One counter and by how much it grew. */
export interface Growth {
  readonly counter: Counter;
  readonly by: number;
}

type DecodedLabels = Map<string, CallLabels | undefined>;

export interface HistoryOptions {
  readonly slices?: Partial<SliceSettings>;
  readonly bounds?: Partial<TableBounds>;
  /** False: somebody else has the calls, and only what policies refused is kept. */
  readonly remembersCalls?: boolean;
}

/** Labels that are kept decoded. */
const MAX_LABELS = 50_000;

/** Who called whom in the last hour: increments that the ledger takes from the proxies' reports, by edge and time. */
export class TrafficHistory {
  readonly slices: CounterSlices;
  readonly table: EdgeTable;
  private readonly names: NodeNames;
  private readonly remembersCalls: boolean;
  private readonly labels: DecodedLabels = new Map();
  private readonly connections: DecodedLabels = new Map();

  constructor(names: NodeNames, { slices = {}, bounds = {}, remembersCalls = true }: HistoryOptions = {}) {
    this.names = names;
    this.remembersCalls = remembersCalls;
    this.slices = new CounterSlices(slices);
    this.table = new EdgeTable(bounds);
  }

  /** The proxy of a pod reported. @param now ms since the epoch, as everywhere here */
  reported(podUid: string, now: number): void {
    this.sweep(now);
    const node = this.names.ofPod(podUid);
    if (node === undefined) return;
    this.add(ofNode(node), 'reports', now, 1, () => ({ kind: 'reports', node }));
  }

  /** A cumulative counter of a proxy grew. @param key of its series, see `metrics-message.ts` */
  count(podUid: string, key: string, by: number, now: number): void {
    const flow = readFlowKey(key);
    if (flow?.flow === 'opened' && flow.transport === 'tcp') this.refusedConnections(podUid, flow.labels, by, now);
    if (!this.remembersCalls) return;
    if (flow !== undefined) {
      this.countFlow(podUid, flow, by, now);
      return;
    }
    const call = this.read(key);
    const edge = call && this.edgeOf(podUid, call, 'http');
    if (call === undefined || edge === undefined) return;
    this.add(edge, callKey(call), now, by, (shared) => ({ kind: 'calls', edge: shared, call }));
  }

  /** Requests of the last interval took so long. @param samples by their labels */
  durations(podUid: string, samples: readonly Sample<DurationBuckets>[], now: number): void {
    const node = this.remembersCalls ? this.names.ofPod(podUid) : undefined;
    if (node === undefined) return;
    const own = { answers: 0, answering: 0, waiting: 0 };
    for (const { key, value } of samples) {
      const call = this.read(key);
      if (call === undefined) continue;
      own[call.side === 'caller' ? 'waiting' : 'answering'] += value.sumMs ?? 0;
      own.answers += call.side === 'caller' ? 0 : value.total;
      const edge = this.edgeOf(podUid, call, 'http');
      if (edge !== undefined) this.duration(edge, call, value, now);
    }
    for (const part of ['answers', 'answering', 'waiting'] as const)
      if (own[part] > 0) this.add(ofNode(node), part, now, own[part], () => ({ kind: 'own time', node, of: part }));
  }

  /** A policy refused requests or connections to the pod. */
  refused(podUid: string, refusal: Refusal, by: number, now: number): void {
    const node = this.names.ofPod(podUid);
    if (node === undefined) return;
    const { policy, reason, among } = refusal;
    const key = ['refused', policy.kind, policy.namespace, policy.name, reason, among].join('|');
    this.add(ofNode(node), key, now, by, () => ({ kind: 'refused', node, refusal }));
  }

  /** A pool of the pod had no room for requests. Whoever has the calls, nobody else has these. @param labels encoded */
  overflow(podUid: string, labels: string, by: number, now: number): void {
    const source = this.names.ofPod(podUid);
    const [direction, port, , host] = clusterOf(decodeLabels(labels)).split('|');
    if (source !== undefined && direction === 'inbound' && !this.names.isTcpOfPod(podUid, Number(port))) {
      this.ownOverflow(source, by, now);
    }
    // Of TCP the flags of connections tell it, and here it would be counted again.
    if (source === undefined || direction !== 'outbound' || !host || this.names.isTcp(host, Number(port))) return;
    const edge: Edge = {
      source,
      destination: this.names.ofService(host, '', ''),
      transport: 'http',
      reporter: 'source',
    };
    this.add(edge, 'overflow', now, by, (shared) => ({ kind: 'overflow', edge: shared }));
  }

  /** Connections to the pod for which the pool towards its application had no room: their flags tell. */
  private refusedConnections(podUid: string, labels: string, by: number, now: number): void {
    const node = this.names.ofPod(podUid);
    const call = this.readConnection(labels);
    if (node !== undefined && call?.side === 'server' && call.flags.split(',').includes('UO')) {
      this.ownOverflow(node, by, now);
    }
  }

  private ownOverflow(node: string, by: number, now: number): void {
    this.add(ofNode(node), 'own overflow', now, by, () => ({ kind: 'own overflow', node }));
  }

  /** All that grew in a window, whatever slice it was in. */
  *sum(window: SliceWindow): Generator<Growth> {
    const totals = new Float64Array(this.table.length);
    for (const { ids, values } of this.slices.within(window)) {
      for (let index = 0; index < ids.length; index++) {
        const id = ids[index] ?? 0;
        totals[id] = (totals[id] ?? 0) + (values[index] ?? 0);
      }
    }
    for (const [id, by] of totals.entries()) {
      const counter = by > 0 ? this.table.counter(id) : undefined;
      if (counter !== undefined) yield { counter, by };
    }
  }

  private countFlow(
    podUid: string,
    { flow, transport, labels }: NonNullable<ReturnType<typeof readFlowKey>>,
    by: number,
    now: number,
  ): void {
    const call = transport === 'tcp' ? this.readConnection(labels) : this.read(labels);
    const edge = call && this.edgeOf(podUid, call, transport);
    if (call === undefined || edge === undefined) return;
    if (flow === 'sent' || flow === 'received') {
      this.add(edge, flow, now, by, (shared) => ({ kind: flow, edge: shared }));
      return;
    }
    const kind = flow === 'opened' ? 'opened' : 'closed';
    this.add(edge, `${kind}|${callKey(call)}`, now, by, (shared) => ({ kind, edge: shared, call }));
  }

  private duration(edge: Edge, call: CallLabels, buckets: DurationBuckets, now: number): void {
    for (const [bucket, by] of bucketCounts(buckets)) {
      const name = `duration|${bucket}|${call.service}|${call.revision ?? ''}`;
      this.add(edge, name, now, by, (shared) => ({ kind: 'duration', edge: shared, call, bucket }));
    }
  }

  private add(edge: Edge, key: string, now: number, by: number, make: (edge: Edge) => Counter): void {
    const number = this.table.number(edge, key, now, make);
    if (number !== undefined) this.slices.add(now, number, by);
  }

  private edgeOf(podUid: string, call: CallLabels, transport: Edge['transport']): Edge | undefined {
    const own = this.names.ofPod(podUid);
    if (own === undefined) return undefined;
    if (call.side === 'caller') {
      const destination =
        call.service === '' ? UNKNOWN_NODE : this.names.ofService(call.service, call.peer, call.peerNode);
      return { source: own, destination, transport, reporter: 'source' };
    }
    // Counted where it was called from.
    if (call.peer !== '' && this.names.hasSidecars(call.peer)) return undefined;
    return { source: UNKNOWN_NODE, destination: own, transport, reporter: 'destination' };
  }

  private read(key: string): CallLabels | undefined {
    return remember(this.labels, key, readCallLabels);
  }

  private readConnection(key: string): CallLabels | undefined {
    return remember(this.connections, key, readConnectionLabels);
  }

  private sweep(now: number): void {
    this.slices.advance(now);
    // A slice is kept for as long as it is not all too old.
    this.table.forget(now - this.slices.settings.keepMs - this.slices.settings.coarseMs);
  }
}

/** Where counters of a node by itself are kept. */
function ofNode(node: string): Edge {
  return { source: node, destination: '', transport: 'http', reporter: 'source' };
}

function remember(
  decoded: DecodedLabels,
  key: string,
  read: (labels: ReadonlyMap<string, string>) => CallLabels | undefined,
): CallLabels | undefined {
  if (!decoded.has(key)) {
    if (decoded.size >= MAX_LABELS) decoded.clear();
    decoded.set(key, read(decodeLabels(key)));
  }
  return decoded.get(key);
}

function callKey({ service, revision, code, flags, grpc, peer }: CallLabels): string {
  return [service, revision ?? '', code, flags, grpc, peer === '' ? 'plain' : 'mtls'].join('|');
}
