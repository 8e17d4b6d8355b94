import type { MeshSnapshot, WorkloadUid } from '../mesh/snapshot.ts';

/** What it is judged by whether all that proxies counted is known. */
export interface MissingReportPorts {
  readonly snapshot: () => Pick<MeshSnapshot, 'workloads'>;
  /** When a proxy last reported, in ms since the epoch; undefined when it never did. */
  readonly lastReport: (uid: WorkloadUid) => number | undefined;
  /** Since when a pod has served, in ms since the epoch; undefined while it does not. */
  readonly servingSince: (uid: WorkloadUid) => number | undefined;
  /** Names of the other replicas whose reports this one lacks. */
  readonly unheard: () => readonly string[];
  /** Since when this replica has taken reports, and since when it has kept all of them, in ms since the epoch. */
  readonly startedAt: number;
  readonly keptSince: () => number;
}

/** A proxy that did not report for so long, in ms, is missed: three flushes. */
const SILENT_MS = 15_000;
/** Pods that are named. */
const NAMED = 5;

/** Says what is not known of a window, a sentence each: nobody is to take that for nothing. */
export class MissingReports {
  readonly #ports: MissingReportPorts;

  constructor(ports: MissingReportPorts) {
    this.#ports = ports;
  }

  /** @param since beginning of the window, in ms since the epoch */
  sentences(since: number, now: number): string[] {
    const { startedAt, keptSince, unheard } = this.#ports;
    const known = Math.max(startedAt, keptSince());
    const sentences = known > since ? [`nothing is known from before ${new Date(known).toISOString()}`] : [];
    for (const name of unheard()) sentences.push(`replica ${name} of the operator does not report`);
    const silent = this.#silent(now);
    for (const { pod, seconds } of silent.slice(0, NAMED)) sentences.push(`no report of ${pod} since ${seconds} s`);
    if (silent.length > NAMED) sentences.push(`no report of ${silent.length - NAMED} more pods`);
    return sentences;
  }

  #silent(now: number): { readonly pod: string; readonly seconds: number }[] {
    const { snapshot, lastReport, servingSince, startedAt } = this.#ports;
    const silent: { pod: string; seconds: number }[] = [];
    for (const [uid, { namespace, name }] of snapshot().workloads) {
      const reported = lastReport(uid);
      if (reported !== undefined && now - reported <= SILENT_MS) continue;
      const serving = servingSince(uid);
      if (serving === undefined) continue;
      const since = Math.max(serving, startedAt, reported ?? 0);
      if (now - since > SILENT_MS)
        silent.push({ pod: `${namespace}/${name}`, seconds: Math.round((now - since) / 1000) });
    }
    return silent.sort((a, b) => b.seconds - a.seconds);
  }
}
