import { KubeConnectionError } from '../../../kube/kube-error.ts';
import { LeaderElection } from '../../../kube/leader-election.ts';
import { silentLogger } from '../../../kube/logger.ts';
import type { MemoryApi } from '../../../kube/testing/memory-api.ts';
import { startReplica } from '../../../operator/certificates/testing/leader.ts';
import type { ProxyTrustSource } from '../../../operator/certificates/trust-survey.ts';
import type { Workload } from '../../../operator/mesh/snapshot.ts';
import { JoinedReports } from '../../../operator/replicas/joined-reports.ts';
import { RemoteProxies } from '../../../operator/replicas/remote-proxies.ts';
import { REPORT_PATH } from '../../../operator/replicas/replica-link.ts';
import { ReplicaLinks } from '../../../operator/replicas/replica-links.ts';
import { proxyTrust } from '../../../operator/wiring/proxy-trust.ts';
import type { ResourceSource } from '../../../operator/xds/resource.ts';
import { type AdsHarness, authenticatorOf, nodeIdOf, startHarness, type TestPod } from './ads-harness.ts';

/** What replicas share. */
export interface ReplicaWorld {
  readonly api: MemoryApi;
  readonly source: ResourceSource;
  /** Pods with a sidecar. */
  readonly pods: readonly TestPod[];
  /** Pods of the operator, by UID. */
  readonly replicaPods: Map<string, TestPod>;
  /** Whether no phase may end. @param phase in which the replica is */
  isHeld(phase: string | undefined): boolean;
  others(self: RotatingReplica): readonly RotatingReplica[];
}

/** A replica of the operator, with its own streams, intermediate and reports, that stands for election. */
export class RotatingReplica {
  readonly pod: TestPod;
  readonly harness: AdsHarness;
  readonly remote: RemoteProxies;
  readonly reports: JoinedReports;
  readonly #links: ReplicaLinks;
  readonly #election: LeaderElection;
  readonly #end: () => Promise<void>;
  readonly #cut: () => void;

  private constructor(parts: {
    readonly pod: TestPod;
    readonly harness: AdsHarness;
    readonly remote: RemoteProxies;
    readonly reports: JoinedReports;
    readonly links: ReplicaLinks;
    readonly election: LeaderElection;
    readonly end: () => Promise<void>;
    readonly cut: () => void;
  }) {
    this.pod = parts.pod;
    this.harness = parts.harness;
    this.remote = parts.remote;
    this.reports = parts.reports;
    this.#links = parts.links;
    this.#election = parts.election;
    this.#end = parts.end;
    this.#cut = parts.cut;
  }

  static async start(name: string, world: ReplicaWorld): Promise<RotatingReplica> {
    const { replicaPods } = world;
    const { api, cut } = cuttable(world.api);
    let self: RotatingReplica | undefined;
    let phase = (): string | undefined => undefined;
    const hearsAll = () =>
      self !== undefined &&
      !world.isHeld(phase()) &&
      world.others(self).every(({ pod }) => self?.remote.hears(pod.uid));
    const plane = await startReplica(
      api,
      trustOf(world, () => self?.reports, hearsAll),
    );
    phase = () => plane.authority.state?.phase;
    const remote = new RemoteProxies({ metrics: () => {}, logger: silentLogger });
    const call = {
      path: REPORT_PATH,
      authenticator: authenticatorOf(replicaPods),
      conversation: remote.conversation(),
    };
    const harness = await startHarness([world.source, plane.secrets], {}, { otherCalls: [call] });
    const pod = harness.addPod(name, 'heddle-system');
    harness.pods.delete(pod.uid);
    for (const one of world.pods) harness.pods.set(one.uid, one);
    replicaPods.set(pod.uid, pod);
    const links = new ReplicaLinks({
      identity: {
        nodeId: nodeIdOf(pod),
        token: async () => pod.token,
        serverName: 'localhost',
        roots: () => harness.rootPem,
      },
      local: harness.server.acks,
      observe: (observer) => harness.server.observe(observer),
      logger: silentLogger,
    });
    const election = new LeaderElection({
      api,
      namespace: 'heddle-system',
      name: 'heddle-operator',
      identity: name,
      leaseDurationMs: 2500,
      renewDeadlineMs: 2000,
      retryPeriodMs: 200,
      onStarted: (signal) => plane.lead(signal),
    });
    const reports = new JoinedReports(harness.server.acks, remote);
    self = new RotatingReplica({ pod, harness, remote, reports, links, election, end: plane.end, cut });
    election.start();
    return self;
  }

  get leads(): boolean {
    return this.#election.isLeader;
  }

  /** Tells these of its proxies from now on, and no others. */
  tell(others: readonly RotatingReplica[]): void {
    this.#links.set(
      others.map(({ pod, harness }) => ({ uid: pod.uid, podName: pod.name, target: `127.0.0.1:${harness.port}` })),
    );
  }

  /** Ends it as a crash would: nothing more of it reaches the API server, its lease is not given back, and connections are cut. */
  async kill(): Promise<void> {
    this.#cut();
    this.#links.stop();
    await Promise.all([this.#election.stop(), this.harness.stop(), this.#end()]);
  }
}

function trustOf(
  { pods }: ReplicaWorld,
  reports: () => JoinedReports | undefined,
  hearsAll: () => boolean,
): ProxyTrustSource {
  const workload = ({ uid, name, namespace }: TestPod) => ({ uid, name, namespace, proxyStarted: true }) as Workload;
  const acks = () => reports() ?? { proxy: () => undefined, onAck: () => () => {} };
  // The streams begin after the authority: what they tell is looked at now and then instead.
  const onChange = (listener: () => void) => {
    const timer = setInterval(listener, 20);
    return () => clearInterval(timer);
  };
  return { ...proxyTrust({ workloads: () => pods.map(workload), acks, hearsAll }), onChange };
}

/** The API server, as seen by one replica until it is cut off. */
function cuttable(api: MemoryApi): { readonly api: MemoryApi; readonly cut: () => void } {
  let isCut = false;
  const guarded = new Proxy(api, {
    get(target, name) {
      const found: unknown = Reflect.get(target, name, target);
      if (typeof found !== 'function') return found;
      return (...args: unknown[]) => {
        if (!isCut) return found.apply(target, args);
        const error = new KubeConnectionError('ECONNREFUSED', 'cut off');
        if (name === 'watch') throw error;
        return Promise.reject(error);
      };
    },
  });
  return {
    api: guarded,
    cut: () => {
      isCut = true;
    },
  };
}
