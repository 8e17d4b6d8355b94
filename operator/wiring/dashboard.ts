import path from 'node:path';
import type { MeshConfig } from '../../api/mesh-config.ts';
import type { ProxyState } from '../../api/view/control-plane-view.ts';
import type { KubeApi } from '../../kube/kube-api.ts';
import type { Logger } from '../../kube/logger.ts';
import type { KubeObject } from '../../kube/object.ts';
import { dropManagedFields } from '../../kube/reflector.ts';
import { WORKLOAD_SECRET } from '../../proxy/names.ts';
import type { AckReport } from '../ads/ack-report.ts';
import { readWorkloadVersion } from '../certificates/secret-resource.ts';
import type { Certificates } from '../certificates/start.ts';
import { GraphSource } from '../dashboard/graph-source.ts';
import { readPage } from '../dashboard/page-files.ts';
import { refusalsIn } from '../dashboard/refusal-source.ts';
import { DashboardServer } from '../dashboard/server.ts';
import type { Changed, ViewSource } from '../dashboard/view-source.ts';
import type { MeshSnapshot } from '../mesh/snapshot.ts';
import { VIEW_PATH } from '../replicas/replica-view.ts';
import type { UsagePoller } from '../usage/usage-poller.ts';
import { SECRET_TYPE } from '../xds/resource.ts';
import type { ClusterStores } from './cluster-stores.ts';
import { ControlPlaneCertificates } from './control-plane-certificates.ts';
import { countedPorts, figuresOf, graphPorts, runningPods } from './graph-ports.ts';
import { keepUsage, withUsage } from './node-usage.ts';
import { policyViews } from './policy-views.ts';
import { ProxySurvey } from './proxy-survey.ts';
import type { Replicas } from './replicas.ts';
import type { TrafficRecords } from './traffic-records.ts';
import { programVersion } from './version.ts';

/** How long another replica may take to tell what it shows, in ms. */
const ASK_MS = 2000;

export interface DashboardJoints {
  readonly api: KubeApi;
  readonly stores: ClusterStores;
  readonly snapshot: () => MeshSnapshot;
  readonly records: TrafficRecords;
  readonly replicas: Replicas;
  /** What pods use, asked while somebody looks at the graph. */
  readonly usage: Pick<UsagePoller, 'usage' | 'onAnswer'>;
  readonly certificates: Certificates;
  /** Of all proxies, and of those with a stream here. */
  readonly acks: AckReport;
  readonly local: AckReport;
  /** Name and namespace of this replica's pod. */
  readonly self: { readonly namespace: string; readonly podName: string };
  readonly config: Pick<MeshConfig, 'trustDomain' | 'metrics' | 'prometheus'>;
  readonly isLeader: () => boolean;
  /** Why this replica is not ready. */
  readonly problems: () => readonly string[];
  readonly logger: Logger;
}

/** The dashboard of this replica, and what it answers others for theirs. */
export interface Dashboard {
  readonly source: ViewSource;
  /** Who follows what happens. */
  readonly streams: number;
  /** Answers another replica. */
  answer(): Promise<Uint8Array>;
  /** Begins to serve. */
  start(port: number): Promise<void>;
  stop(): Promise<void>;
}

/** Joins what the page and the command line are shown with those who know it. */
export function joinDashboard(joints: DashboardJoints): Dashboard {
  const survey = surveyOf(joints);
  const source = viewSource(joints, survey);
  let server: DashboardServer | undefined;
  return {
    source,
    get streams() {
      return server?.streams ?? 0;
    },
    answer: () => survey.answer(),
    start: async (port) => {
      const page = await readPage(path.join(import.meta.dirname, '..', 'dashboard', 'page'));
      server = new DashboardServer({ source, page, logger: joints.logger.child({ room: 'dashboard' }) });
      await server.start(port);
    },
    stop: async () => server?.stop(),
  };
}

function surveyOf({ snapshot, local, records, replicas, self, isLeader, problems }: DashboardJoints): ProxySurvey {
  return new ProxySurvey({
    snapshot,
    local,
    lastReport: (uid) => records.ledger.lastReport(uid),
    certificateExpiresAt: (uid) => {
      const version = local.acked(uid, SECRET_TYPE, WORKLOAD_SECRET);
      return version === undefined ? undefined : readWorkloadVersion(version)?.expiresAt;
    },
    self: self.podName,
    isLeader,
    problems,
    askOthers: () => replicas.askOthers(VIEW_PATH, ASK_MS),
    now: Date.now,
  });
}

function viewSource(joints: DashboardJoints, survey: ProxySurvey): ViewSource {
  const { api, stores, certificates, self } = joints;
  const { trustDomain } = joints.config;
  const figures = figuresOf(joints);
  const counted = countedPorts(joints);
  const graph = new GraphSource(graphPorts(joints, figures));
  const chain = new ControlPlaneCertificates(certificates, api, self.namespace);
  const version = programVersion();
  keepUsage(joints.records, joints.usage, (node) => runningPods(joints, node), Date.now);
  const within = (namespace: string | undefined) => (object: { readonly namespace?: string | undefined }) =>
    namespace === undefined || object.namespace === namespace;
  return {
    graph: (selection) => graph.graph(selection),
    series: async (selection) => withUsage(joints.records, selection, await figures.series(selection)),
    refusals: async (selection) => refusalsIn(counted, selection, Date.now()),
    controlPlane: async () => {
      const { replicas, proxies } = await survey.survey();
      const counts: Record<ProxyState, number> = {
        ...{ synced: 0, syncing: 0, stale: 0 },
        ...{ rejected: 0, disconnected: 0, unknown: 0 },
      };
      for (const { state } of proxies) counts[state]++;
      return {
        version,
        trustDomain,
        replicas,
        proxies: { total: proxies.length, ...counts },
        certificates: await chain.views(),
      };
    },
    proxies: async ({ namespace }) => {
      const { at, complete, proxies } = await survey.survey();
      return { at, complete, proxies: proxies.filter(within(namespace)) };
    },
    policies: async ({ namespace }) => ({
      policies: policyViews([...stores.policyKinds], namespace),
    }),
    canaries: async ({ namespace }) => {
      const chosen = [...stores.canaries.list()].filter(({ metadata }) => within(namespace)(metadata ?? {}));
      return { canaries: chosen.map(withoutManagedFields) };
    },
    onChanged: (listener) => follow(joints, listener),
  };
}

/** The store's object stays as it is: the canary controller reads who set what. */
function withoutManagedFields<T extends KubeObject>(object: T): T {
  return dropManagedFields({ ...object, metadata: { ...object.metadata } });
}

function follow({ stores, acks }: DashboardJoints, listener: (what: Changed) => void): () => void {
  const ends = [
    stores.canaries.onChange(() => listener('canaries')),
    ...stores.policyKinds.map(({ store }) => store.onChange(() => listener('policies'))),
    acks.onAck(() => {
      listener('proxies');
      listener('control-plane');
    }),
  ];
  return () => {
    for (const end of ends) end();
  };
}
