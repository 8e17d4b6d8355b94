import type { Canary } from '../../api/canary.ts';
import type { KubeApi } from '../../kube/kube-api.ts';
import type { Logger } from '../../kube/logger.ts';
import type { IndexedStore, ReadStore } from '../../kube/store.ts';
import type { TrafficSource } from '../telemetry/traffic.ts';
import type { UsageSource } from '../usage/pod-usage.ts';
import type { CanaryEvent } from './draft.ts';
import type { HookRunner } from './hook-runner.ts';
import type {
  ControllerRevision,
  DaemonSet,
  Deployment,
  Node,
  Pod,
  ReplicaSet,
  Service,
  StatefulSet,
} from './objects.ts';
import type { Coverage } from './observation.ts';
import type { Side } from './side.ts';
import type { Autoscaler } from './targets/autoscaler.ts';
import type { TemplateAnswers } from './template-question.ts';

/** A split as the mesh should have it. */
export interface SplitQuery {
  readonly namespace: string;
  /** Name of the Canary. */
  readonly canary: string;
  /** Hostnames of the Services that select the target's pods, but for addresses of one side. */
  readonly services: readonly string[];
  readonly stable: string;
  readonly next: string;
  /** What `next` gets. */
  readonly side: Side;
  /** The terms of the analysis (`termsKey`), by which matches, cookies and hashes are told apart; '' when they are not valid. */
  readonly terms: string;
}

/** Addresses of the new revision as the mesh should have them. */
export type AddressQuery = Pick<SplitQuery, 'namespace' | 'canary' | 'services' | 'stable' | 'next'>;

/** What a canary asks of the mesh. */
export interface MeshPort {
  /**
   * How far a split has got, now: sidecars that route to one of the Services (those of the target's own pods left
   * out), and those among them that have acknowledged routes and clusters made from exactly this split. While the
   * newest snapshot does not show the split yet, `acknowledged` is 0.
   */
  coverage(split: SplitQuery): Coverage;
  /** The same of addresses of the new revision (`services`), which lead to it whatever it gets. */
  addressed(query: AddressQuery): Coverage;
  /** Whether some port of these Services, by hostname, carries HTTP, or may; undefined while none of them is known. */
  carriesHttp?(services: readonly string[]): boolean | undefined;
}

/** Stores that must have synced before the controller starts. They get indexes of their own. */
export interface CanaryStores {
  readonly canaries: IndexedStore<Canary>;
  readonly deployments: IndexedStore<Deployment>;
  readonly replicaSets: IndexedStore<ReplicaSet>;
  readonly statefulSets: IndexedStore<StatefulSet>;
  readonly daemonSets: IndexedStore<DaemonSet>;
  readonly controllerRevisions: IndexedStore<ControllerRevision>;
  readonly autoscalers: IndexedStore<Autoscaler>;
  readonly pods: IndexedStore<Pod>;
  readonly services: IndexedStore<Service>;
  readonly nodes: ReadStore<Node>;
}

/** All that the canary controller needs from outside. */
export interface CanaryDependencies {
  readonly stores: CanaryStores;
  readonly api: Pick<KubeApi, 'get' | 'apply' | 'patch' | 'delete'>;
  readonly mesh: MeshPort;
  readonly traffic: TrafficSource;
  /** Tells people of events, beside the controller's own work; must not throw. */
  readonly alerts: { readonly send: (canary: Canary, event: CanaryEvent) => void };
  /** Asks hooks, likewise. */
  readonly hooks: Pick<HookRunner, 'answer' | 'want' | 'tell' | 'forget' | 'onAnswer'>;
  /** Asks MetricTemplates, beside the controller's own work. */
  readonly templates: TemplateAnswers;
  /** What pods use; asked only while an analysis has a metric of that. */
  readonly usage: UsageSource;
  /** Domain of Service hostnames, e.g. `cluster.local`. */
  readonly clusterDomain: string;
  /** Whether a namespace belongs to the mesh; in others a Canary does nothing but say so. `touch` it when that changes. */
  readonly isDiscovered: (namespace: string) => boolean;
  /** True while this replica may act. Asked before every write. */
  readonly isLeader: () => boolean;
  /** Records an event about a Canary; must not throw. */
  readonly event: (canary: Canary, event: CanaryEvent) => void;
  readonly logger: Logger;
  /** ms since the epoch. */
  readonly now?: () => number;
}
