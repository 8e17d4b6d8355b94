import type { AckReport, ProxyReport } from '../ads/ack-report.ts';

/** What all proxies of the mesh have acknowledged, whichever replica has their streams. */
export class JoinedReports implements AckReport {
  private readonly local: AckReport;
  private readonly remote: AckReport;

  /**
   * @param local of the proxies with a stream here
   * @param remote of those that other replicas report
   */
  constructor(local: AckReport, remote: AckReport) {
    this.local = local;
    this.remote = remote;
  }

  /** @inheritDoc */
  get moves(): number {
    return this.local.moves + this.remote.moves;
  }

  acked(uid: string, typeUrl: string, name: string): string | undefined {
    return this.proxy(uid)?.acknowledged(typeUrl, name);
  }

  /** A stream that is open counts before one that ended, and one here before what is told of it. */
  proxy(uid: string): ProxyReport | undefined {
    const here = this.local.proxy(uid);
    if (here?.connected === true) return here;
    const there = this.remote.proxy(uid);
    return there?.connected === true ? there : (here ?? there);
  }

  *proxies(): Iterable<ProxyReport> {
    for (const report of this.local.proxies())
      yield report.connected ? report : (this.proxy(report.identity.uid) ?? report);
    for (const report of this.remote.proxies()) {
      if (this.local.proxy(report.identity.uid) === undefined) yield report;
    }
  }

  onAck(listener: (uids: ReadonlySet<string>) => void): () => void {
    const ends = [this.local.onAck(listener), this.remote.onAck(listener)];
    return () => {
      for (const end of ends) end();
    };
  }
}
