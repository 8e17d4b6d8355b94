import type { ProxyView, ReplicaView } from '../../api/view/control-plane-view.ts';
import type { AckReport } from '../ads/ack-report.ts';
import type { MeshSnapshot, Workload, WorkloadUid } from '../mesh/snapshot.ts';
import { decodeView, encodeView } from '../replicas/replica-view.ts';
import { absentProxy, connectedProxy } from './proxy-views.ts';

/** What one replica tells of itself and of the proxies whose streams end with it. */
export interface ReplicaAnswer {
  readonly leader: boolean;
  readonly streams: number;
  readonly problems: readonly string[];
  readonly proxies: readonly ProxyView[];
}

/** What all replicas together know. */
export interface Survey {
  /** Ms since the epoch. */
  readonly at: number;
  /** Whether every other replica answered. */
  readonly complete: boolean;
  readonly replicas: readonly ReplicaView[];
  readonly proxies: readonly ProxyView[];
}

export interface ProxySurveyPorts {
  readonly snapshot: () => Pick<MeshSnapshot, 'workloads'>;
  /** Of the proxies with a stream here. */
  readonly local: Pick<AckReport, 'proxy' | 'proxies'>;
  readonly lastReport: (uid: WorkloadUid) => number | undefined;
  /** When the certificate of a proxy ends, ms since the epoch; undefined where that is not known. */
  readonly certificateExpiresAt: (uid: WorkloadUid) => number | undefined;
  /** Name of this replica's pod. */
  readonly self: string;
  readonly isLeader: () => boolean;
  readonly problems: () => readonly string[];
  /** Asks every other replica; those that do not answer have no answer. */
  readonly askOthers: () => Promise<readonly { readonly name: string; readonly answer: Uint8Array | undefined }[]>;
  readonly now: () => number;
}

/** Questions within this time have one answer, in ms. */
const FRESH_MS = 1000;

/** Which proxies there are and how far each is, asked of all replicas. */
export class ProxySurvey {
  readonly #ports: ProxySurveyPorts;
  #last: { readonly until: number; readonly survey: Promise<Survey> } | undefined;

  constructor(ports: ProxySurveyPorts) {
    this.#ports = ports;
  }

  /** What this replica answers the others. */
  answer(): Promise<Buffer> {
    return encodeView(this.#own());
  }

  /** What all know. One that does not answer leaves proxies `unknown`. */
  survey(): Promise<Survey> {
    const now = this.#ports.now();
    if (this.#last !== undefined && now < this.#last.until) return this.#last.survey;
    this.#last = { until: now + FRESH_MS, survey: this.#ask(now) };
    this.#last.survey.catch(() => {
      this.#last = undefined;
    });
    return this.#last.survey;
  }

  async #ask(at: number): Promise<Survey> {
    const { askOthers, self, snapshot, lastReport } = this.#ports;
    const own = this.#own();
    const others = await Promise.all(
      (await askOthers()).map(async ({ name, answer }) => ({ name, answer: answer && (await readAnswer(answer)) })),
    );
    const complete = others.every(({ answer }) => answer !== undefined);
    const found = new Map<WorkloadUid, ProxyView>();
    // A stream here counts before what is told of it.
    for (const { answer } of others) for (const proxy of answer?.proxies ?? []) found.set(proxy.uid, proxy);
    for (const proxy of own.proxies) found.set(proxy.uid, proxy);
    const proxies: ProxyView[] = [];
    for (const workload of snapshot().workloads.values()) {
      const view = found.get(workload.uid);
      proxies.push(view ?? absentProxy(workload, complete ? 'disconnected' : 'unknown', lastReport(workload.uid)));
    }
    const replicas = [
      { name: self, heard: true, leader: own.leader, streams: own.streams, problems: own.problems },
      ...others.map(({ name, answer }) => replicaView(name, answer)),
    ];
    return { at, complete, replicas, proxies };
  }

  #own(): ReplicaAnswer {
    const { local, isLeader, problems } = this.#ports;
    const proxies: ProxyView[] = [];
    let streams = 0;
    for (const report of local.proxies()) {
      if (!report.connected) continue;
      streams++;
      const workload = this.#ports.snapshot().workloads.get(report.identity.uid);
      if (workload !== undefined) proxies.push(this.#connected(workload, report));
    }
    return { leader: isLeader(), streams, problems: problems(), proxies };
  }

  #connected(workload: Workload, report: Parameters<typeof connectedProxy>[1]): ProxyView {
    const { certificateExpiresAt, lastReport, self } = this.#ports;
    const facts = { replica: self, certificateExpiresAt: certificateExpiresAt(workload.uid) };
    return connectedProxy(workload, report, facts, lastReport(workload.uid));
  }
}

function replicaView(name: string, answer: ReplicaAnswer | undefined): ReplicaView {
  if (answer === undefined) return { name, leader: false, heard: false };
  const { leader, streams, problems } = answer;
  return { name, leader, heard: true, streams, problems };
}

async function readAnswer(bytes: Uint8Array): Promise<ReplicaAnswer | undefined> {
  try {
    const { leader = false, streams, problems = [], proxies } = await decodeView<ReplicaAnswer>(bytes);
    return streams === undefined || proxies === undefined ? undefined : { leader, streams, problems, proxies };
  } catch {
    // It is of another version; what it knows is not known here.
    return undefined;
  }
}
