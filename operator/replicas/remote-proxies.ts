import type { Logger } from '../../kube/logger.ts';
import { AckListeners } from '../ads/ack-listeners.ts';
import type { AckReport, ProxyReport, RejectedResource } from '../ads/ack-report.ts';
import { ON_DEMAND_TYPES } from '../ads/names-ahead.ts';
import type { Conversation, Listener } from '../ads/proxy-call.ts';
import { GRACE_MS } from '../ads/proxy-registry.ts';
import { decodeOrRefuse, type Refusal, unavailable } from '../ads/refusal.ts';
import type { NameUse } from '../ads/workload-memory.ts';
import type { ProxyIdentity } from '../xds/resource.ts';
import { decodeReport, type ProxyState, type ReportMessage } from './report-message.ts';
import { TermSet, TermTable } from './term-table.ts';

const FEW_TERMS = 100_000;

/** A replica that reports here, over one stream. */
interface Source {
  readonly replica: ProxyIdentity;
  /** Numbers that terms have here, by those they have on the stream. */
  terms: number[];
  isWhole: boolean;
}

/** A proxy whose stream is at another replica. */
class RemoteProxy implements ProxyReport {
  readonly source: Source;
  readonly identity: ProxyIdentity;
  readonly connectedAt: number;
  connected: boolean;
  refused: readonly RejectedResource[] = [];
  inForce: TermSet;

  constructor(
    source: Source,
    table: TermTable,
    { uid, podName, namespace, serviceAccount, connected, connectedAt }: ProxyState,
  ) {
    this.source = source;
    this.identity = { uid, podName, namespace, serviceAccount };
    this.connected = connected;
    this.connectedAt = connectedAt;
    this.inForce = new TermSet(table);
  }

  acknowledged(typeUrl: string, name: string): string | undefined {
    return this.inForce.version(typeUrl, name);
  }

  *versions(typeUrl: string): Iterable<[string, string]> {
    for (const term of this.inForce.all()) if (term.typeUrl === typeUrl) yield [term.name, term.version];
  }

  rejections(): readonly RejectedResource[] {
    return this.refused;
  }
}

export interface RemoteProxiesOptions {
  /** Takes the metrics of a proxy whose stream is at another replica. @throws {Error} when the bytes are malformed */
  metrics(uid: string, message: Uint8Array): void;
  readonly logger: Logger;
  /** Is told which names of what is sent on demand they use; absent: nobody is. */
  readonly use?: NameUse;
  /** So many terms are kept whether they are true of anybody or not; 100,000 unless told. */
  readonly fewTerms?: number;
}

/** The proxies connected to other replicas, as these report them. */
export class RemoteProxies implements AckReport {
  private readonly options: RemoteProxiesOptions;
  private readonly known = new Map<string, RemoteProxy>();
  private readonly sources = new Set<Source>();
  private readonly acks = new AckListeners();
  private readonly ends = new Set<(refusal: Refusal) => void>();
  /** @inheritDoc */
  moves = 0;
  private table = new TermTable();
  /** Size at which terms that are true of nobody any more are thrown away. */
  private mostTerms: number;

  constructor(options: RemoteProxiesOptions) {
    this.options = options;
    this.mostTerms = options.fewTerms ?? FEW_TERMS;
  }

  /** Whether the replica of a pod reports here, and has told all that it knows. */
  hears(replicaUid: string): boolean {
    return [...this.sources].some(({ replica, isWhole }) => replica.uid === replicaUid && isWhole);
  }

  /** Proxies with a stream at the replica of a pod. */
  countAt(replicaUid: string): number {
    let count = 0;
    for (const { source, connected } of this.known.values()) {
      if (connected && source.replica.uid === replicaUid) count++;
    }
    return count;
  }

  /** What is spoken on the stream of a replica that reports. */
  conversation(): Conversation {
    return {
      nodeId: (first) => decodeOrRefuse(first, decodeReport).nodeId,
      start: ({ identity }, end) => this.listenTo(identity, end),
    };
  }

  /** Ends all streams: this replica stops. */
  stop(): void {
    for (const end of [...this.ends]) end(unavailable('the control plane is shutting down'));
  }

  acked(uid: string, typeUrl: string, name: string): string | undefined {
    return this.known.get(uid)?.acknowledged(typeUrl, name);
  }

  proxy(uid: string): ProxyReport | undefined {
    return this.known.get(uid);
  }

  proxies(): Iterable<ProxyReport> {
    return this.known.values();
  }

  onAck(listener: (uids: ReadonlySet<string>) => void): () => void {
    return this.acks.add(listener);
  }

  private listenTo(replica: ProxyIdentity, end: (refusal: Refusal) => void): Listener {
    const source: Source = { replica, terms: [], isWhole: false };
    const { logger } = this.options;
    this.sources.add(source);
    this.ends.add(end);
    logger.info('replica reports', { replica: replica.podName });
    return {
      message: (bytes) => this.take(source, decodeOrRefuse(bytes, decodeReport)),
      closed: () => {
        this.sources.delete(source);
        this.ends.delete(end);
        this.lose(source);
        logger.info('replica reports no more', { replica: replica.podName });
      },
    };
  }

  private take(source: Source, message: ReportMessage): void {
    if (message.termsAnew) source.terms = [];
    for (const term of message.terms) source.terms.push(this.table.intern(term));
    for (const state of message.states) this.takeState(source, state);
    for (const uid of message.forgotten) if (this.known.get(uid)?.source === source) this.forget(uid);
    for (const { uid, terms, asked } of message.inForce) {
      const proxy = this.changing(source, uid);
      for (const number of terms) {
        const term = source.terms[number];
        if (term !== undefined) proxy?.inForce.set(term);
      }
      if (proxy !== undefined) this.noteUse(proxy.identity, source, terms, new Set(asked));
    }
    if (this.table.size > this.mostTerms) this.tidy();
    for (const { uid, refused } of message.rejections) {
      const proxy = this.changing(source, uid);
      if (proxy !== undefined) proxy.refused = refused;
    }
    for (const { uid, message: bytes } of message.metrics) {
      // Late news of a proxy that reports elsewhere by now would count twice.
      if (this.known.get(uid)?.source === source) this.options.metrics(uid, bytes);
    }
    if (message.whole) source.isWhole = true;
  }

  /** What another replica's proxy uses counts here too: the next pod of its workload may come to this one. */
  private noteUse(proxy: ProxyIdentity, source: Source, numbers: readonly number[], asked: ReadonlySet<number>): void {
    const { use } = this.options;
    if (use?.remembers(proxy) !== true) return;
    for (const typeUrl of ON_DEMAND_TYPES) {
      const namesOf = (isAsked: boolean): string[] =>
        numbers.flatMap((number) => {
          const term = this.table.term(source.terms[number] ?? -1);
          if (term?.typeUrl !== typeUrl || term.version === '' || asked.has(number) !== isAsked) return [];
          return [term.name];
        });
      use.asked(proxy, typeUrl, namesOf(true));
      use.held(proxy, typeUrl, namesOf(false));
    }
  }

  private takeState(source: Source, state: ProxyState): void {
    const known = this.known.get(state.uid);
    // Who has lost a proxy knows less of it than who has it.
    if (!state.connected && known?.connected === true && known.source !== source) return;
    const isSame = known?.source === source && known.connectedAt === state.connectedAt;
    if (isSame) known.connected = state.connected;
    else this.known.set(state.uid, new RemoteProxy(source, this.table, state));
    this.moved(state.uid);
  }

  private changing(source: Source, uid: string): RemoteProxy | undefined {
    const proxy = this.known.get(uid);
    if (proxy?.source !== source) return undefined;
    this.acks.touch(uid);
    return proxy;
  }

  /** Versions come and go: those that nobody has any more are forgotten. What is numbered on a stream keeps its number. */
  private tidy(): void {
    const before = this.table;
    this.table = new TermTable();
    for (const proxy of this.known.values()) {
      const inForce = new TermSet(this.table);
      for (const term of proxy.inForce.all()) inForce.set(this.table.intern(term));
      proxy.inForce = inForce;
    }
    for (const source of this.sources) {
      source.terms = source.terms.map((number) => {
        const term = before.term(number);
        return term === undefined ? -1 : this.table.intern(term);
      });
    }
    this.mostTerms = Math.max(this.options.fewTerms ?? FEW_TERMS, this.table.size * 2);
  }

  private lose(source: Source): void {
    for (const [uid, proxy] of this.known) {
      if (proxy.source !== source) continue;
      proxy.connected = false;
      this.moved(uid);
    }
    setTimeout(() => {
      for (const [uid, proxy] of this.known) if (proxy.source === source) this.forget(uid);
    }, GRACE_MS).unref();
  }

  private forget(uid: string): void {
    this.known.delete(uid);
    this.moved(uid);
  }

  private moved(uid: string): void {
    this.moves += 1;
    this.acks.touch(uid);
  }
}
