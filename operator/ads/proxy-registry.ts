import { AckListeners } from './ack-listeners.ts';
import type { AckReport, ProxyReport, RejectedResource } from './ack-report.ts';
import type { ProxyObserver } from './proxy-observer.ts';
import type { ProxyStream } from './stream.ts';
import { syncOf } from './sync-state.ts';

/** How long the report of a proxy outlives its stream, in ms: it most likely comes back. */
export const GRACE_MS = 30_000;

/** Why the stream of a pod ends, unless it is said. */
export const GONE = 'the pod is gone';

interface Entry {
  readonly stream: ProxyStream;
  /** What is told of it, for as long as it is here: thousands are asked for each weight of each Canary. */
  readonly report: ProxyReport;
  /** Ends the stream from this side. */
  readonly end: (reason: string) => void;
  /** Address and port of the other end of its connection. */
  readonly peer: string;
  endedAt: number | undefined;
  /** Runs when the stream has ended. */
  forget: NodeJS.Timeout | undefined;
}

/** The proxies connected to this replica, one stream each, and what they have acknowledged. */
export class ProxyRegistry implements AckReport {
  private readonly entries = new Map<string, Entry>();
  private readonly acks = new AckListeners();
  private readonly observers = new Set<ProxyObserver>();
  /** @inheritDoc */
  moves = 0;

  get connected(): number {
    let count = 0;
    for (const entry of this.entries.values()) {
      count += entry.endedAt === undefined ? 1 : 0;
    }
    return count;
  }

  *streams(): Iterable<ProxyStream> {
    for (const entry of this.entries.values()) {
      if (entry.endedAt === undefined) {
        yield entry.stream;
      }
    }
  }

  /** Takes a new stream; an earlier one of the same pod is ended: its connection is most likely dead. */
  open(stream: ProxyStream, peer: string, end: (reason: string) => void): void {
    const { uid } = stream.proxy;
    const earlier = this.entries.get(uid);
    clearTimeout(earlier?.forget);
    const entry: Entry = {
      ...{ stream, peer, end, endedAt: undefined, forget: undefined },
      report: report(stream, Date.now(), () => entry.endedAt === undefined),
    };
    this.entries.set(uid, entry);
    if (earlier !== undefined && earlier.endedAt === undefined) {
      earlier.end('another stream of the same pod took over');
    }
    this.moved(uid);
  }

  close(stream: ProxyStream): void {
    const { uid } = stream.proxy;
    const entry = this.entries.get(uid);
    if (entry?.stream !== stream || entry.endedAt !== undefined) {
      return;
    }
    entry.endedAt = Date.now();
    // It keeps all that the stream knew: who comes again and again would have that many times over.
    entry.forget = setTimeout(() => {
      this.entries.delete(uid);
      this.moved(uid);
    }, GRACE_MS).unref();
    this.moved(uid);
  }

  /** Ends the stream of a pod that is gone, or whatever the reason, and forgets its report. */
  revoke(uid: string, reason = GONE): void {
    const entry = this.entries.get(uid);
    if (entry === undefined) {
      return;
    }
    clearTimeout(entry.forget);
    this.entries.delete(uid);
    if (entry.endedAt === undefined) {
      entry.end(reason);
    }
    this.moved(uid);
  }

  /** Ends the streams of some proxies, by chance. Gives the other ends of their connections. */
  endSome(count: number, reason: string): string[] {
    const open = [...this.entries.values()].filter(({ endedAt }) => endedAt === undefined);
    const peers: string[] = [];
    for (let left = Math.min(count, open.length); left > 0; left--) {
      const [entry] = open.splice(Math.floor(Math.random() * open.length), 1);
      entry?.end(reason);
      if (entry !== undefined) peers.push(entry.peer);
    }
    return peers;
  }

  /** Ends all streams, a few at a time so that their proxies do not all come to the other replica at once. */
  async endAll(reason: string, spreadMs: number): Promise<void> {
    const entries = [...this.entries.values()].filter((entry) => entry.endedAt === undefined);
    const steps = Math.max(1, Math.min(entries.length, Math.ceil(spreadMs / 50)));
    const size = Math.ceil(entries.length / steps);
    for (let start = 0; start < entries.length; start += size) {
      for (const entry of entries.slice(start, start + size)) {
        entry.end(reason);
      }
      await new Promise((resolve) => setTimeout(resolve, spreadMs / steps));
    }
  }

  /** Notes that what a proxy has in force of some resources, or refuses, may differ. */
  noted(uid: string, typeUrl: string, names: readonly string[]): void {
    for (const observer of this.observers) observer.resources(uid, typeUrl, names);
    this.acks.touch(uid);
  }

  /** Tells of every proxy that there is, and of all that happens from now on. Gives a function that ends that. */
  observe(observer: ProxyObserver): () => void {
    for (const [uid, entry] of this.entries) observer.proxy(uid, entry.report);
    this.observers.add(observer);
    return () => this.observers.delete(observer);
  }

  private moved(uid: string): void {
    this.moves += 1;
    for (const observer of this.observers) observer.proxy(uid, this.proxy(uid));
    this.acks.touch(uid);
  }

  acked(uid: string, typeUrl: string, name: string): string | undefined {
    return this.entries.get(uid)?.stream.subscription(typeUrl)?.acknowledged(name);
  }

  proxy(uid: string): ProxyReport | undefined {
    return this.entries.get(uid)?.report;
  }

  *proxies(): Iterable<ProxyReport> {
    for (const entry of this.entries.values()) {
      yield entry.report;
    }
  }

  onAck(listener: (uids: ReadonlySet<string>) => void): () => void {
    return this.acks.add(listener);
  }
}

function report(stream: ProxyStream, connectedAt: number, isConnected: () => boolean): ProxyReport {
  return {
    identity: stream.proxy,
    get connected() {
      return isConnected();
    },
    connectedAt,
    acknowledged: (typeUrl, name) => stream.subscription(typeUrl)?.acknowledged(name),
    versions: (typeUrl) => stream.subscription(typeUrl)?.versions() ?? [],
    rejections: () => rejections(stream),
    asksFor: (typeUrl, name) => stream.subscription(typeUrl)?.names.has(name) ?? false,
    sync: () => syncOf(stream.all()),
  };
}

function rejections(stream: ProxyStream): RejectedResource[] {
  const found: RejectedResource[] = [];
  for (const { typeUrl, rejected } of stream.all()) {
    for (const [name, { version, message }] of rejected) {
      found.push({ typeUrl, name, version, message });
    }
  }
  return found;
}
