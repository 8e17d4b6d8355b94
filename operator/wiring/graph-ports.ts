import { durationMs } from '../../api/duration.ts';
import { countedPools } from '../dashboard/counted-pools.ts';
import { roleIn } from '../dashboard/edge-totals.ts';
import type { Figures } from '../dashboard/figures.ts';
import type { GraphPorts, NodeFacts } from '../dashboard/graph-source.ts';
import { OperatorFigures, type OperatorFiguresPorts } from '../dashboard/operator-figures.ts';
import { PrometheusClient } from '../dashboard/prometheus-client.ts';
import { PrometheusFigures } from '../dashboard/prometheus-figures.ts';
import { blockList } from '../outward/destination.ts';
import { trustIn } from '../outward/tls-trust.ts';
import { saturationOf } from '../usage/saturation.ts';
import { BY_UID, type Pod } from './cluster-stores.ts';
import type { DashboardJoints } from './dashboard.ts';
import { MissingReports } from './missing-reports.ts';
import { inboundWork, poolReadings } from './open-work.ts';
import { readCredentials } from './rate-limits.ts';
import { ServiceSelectors } from './service-selectors.ts';

type Joints = Pick<DashboardJoints, 'snapshot' | 'records' | 'replicas' | 'acks' | 'stores' | 'usage'>;

/** What a graph is made of: the mesh, and what was counted. */
export function graphPorts(joints: Joints, figures: Figures): GraphPorts {
  return {
    figures,
    nodes: () => nodeFacts(joints),
    roleOf: (service, revision) => roleIn(joints.snapshot().services.get(service)?.split, revision),
    saturation: (id) => {
      const pods = runningPods(joints, id);
      const uids = pods.flatMap(({ metadata }) => metadata?.uid ?? []);
      const used = saturationOf(pods, (namespace, pod) => joints.usage.usage(namespace, pod));
      const all = { ...used, ...inboundWork(joints.records, uids, Date.now()) };
      return Object.keys(all).length === 0 ? undefined : all;
    },
    pools: () => poolReadings(joints.records, Date.now()),
  };
}

/** What a Prometheus has of what the proxies counted, where one is named; else what this replica knows of it. */
export function figuresOf(joints: Joints & Pick<DashboardJoints, 'api' | 'config' | 'self'>): Figures {
  const { prometheus, metrics } = joints.config;
  if (prometheus === undefined) return new OperatorFigures(countedPorts(joints));
  const { url, timeout, passwordSecret } = prometheus;
  const client = new PrometheusClient({
    url,
    timeoutMs: durationMs(timeout),
    allowed: blockList(metrics.allowedAddresses),
    trust: trustIn(metrics.extraRootCA),
    authorization: async () => {
      const { username, password } = await readCredentials(joints.api, joints.self.namespace, passwordSecret);
      if (username === undefined && password === undefined) return '';
      return `Basic ${Buffer.from(`${username ?? ''}:${password ?? ''}`).toString('base64')}`;
    },
  });
  return new PrometheusFigures(client, joints.records.nodes, countedPools(countedPorts(joints)), Date.now);
}

/** What the proxies counted, as this replica knows it. */
export function countedPorts({ snapshot, records, replicas, stores }: Joints): OperatorFiguresPorts {
  const { history, ledger } = records;
  const reports = new MissingReports({
    snapshot,
    lastReport: (uid) => ledger.lastReport(uid),
    servingSince: (uid) => stores.servingSince(uid),
    unheard: () => replicas.unheard(),
    startedAt: ledger.startedAt,
    keptSince: () => history.slices.keptSince,
  });
  return {
    history,
    missing: (since, now) => reports.sentences(since, now),
    startedAt: ledger.startedAt,
    now: Date.now,
  };
}

/** The pods of a node that run. */
export function runningPods({ records, stores }: Pick<Joints, 'records' | 'stores'>, id: string): Pod[] {
  const uids = [...(records.nodes.node(id)?.pods.keys() ?? [])];
  return uids.flatMap((uid) => stores.pods.byIndex(BY_UID, uid)).filter(({ status }) => status?.phase === 'Running');
}

function* nodeFacts({ snapshot, records, acks, stores }: Joints): Generator<NodeFacts> {
  const selectors = new ServiceSelectors(snapshot().services.values());
  const canaries = new Map<string, string>();
  for (const { metadata, spec } of stores.canaries.list()) {
    canaries.set(`${metadata?.namespace}/${spec?.targetRef?.name}`, `${metadata?.namespace}/${metadata?.name}`);
  }
  for (const { id, namespace, name, pods } of records.nodes.all()) {
    let connected = 0;
    let canary: string | undefined;
    for (const [uid, { owner }] of pods) {
      connected += acks.proxy(uid)?.connected === true ? 1 : 0;
      canary ??= canaries.get(`${namespace}/${owner}`);
    }
    yield {
      id,
      kind: 'workload',
      namespace,
      name,
      services: selectors.hostnames(namespace, pods.values()),
      pods: pods.size,
      connected,
      ...(canary === undefined ? {} : { canary }),
    };
  }
}
