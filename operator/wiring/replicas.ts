import { readFile } from 'node:fs/promises';
import path from 'node:path';
import type { KubeApi } from '../../kube/kube-api.ts';
import type { Logger } from '../../kube/logger.ts';
import { OPERATOR_SERVICE, TOKEN_FILE, TOKEN_MOUNT_PATH, XDS_SERVER_NAME } from '../../proxy/names.ts';
import { XDS_PORT } from '../../proxy/ports.ts';
import type { AckReport } from '../ads/ack-report.ts';
import type { MetricsSink } from '../ads/metrics-conversation.ts';
import type { AdsServer, OtherCall } from '../ads/server.ts';
import { TokenAuthenticator } from '../ads/token-authenticator.ts';
import type { NameUse } from '../ads/workload-memory.ts';
import { COUNT_PATH, type CountingReplicas } from '../ratelimit/shared-counters.ts';
import { Balance } from '../replicas/balance.ts';
import { JoinedReports } from '../replicas/joined-reports.ts';
import { overload } from '../replicas/overload.ts';
import { RemoteProxies } from '../replicas/remote-proxies.ts';
import { type LinkIdentity, REPORT_PATH, type Replica } from '../replicas/replica-link.ts';
import { ReplicaLinks } from '../replicas/replica-links.ts';
import { ReplicaQuestions } from '../replicas/replica-questions.ts';
import type { TrafficLedger } from '../telemetry/ledger.ts';
import type { ClusterStores, Pod } from './cluster-stores.ts';
import { replicaTokenPorts } from './token-review.ts';

/** How long another replica may take to count, in ms. */
const COUNT_MS = 200;

export interface ReplicasOptions {
  readonly api: KubeApi;
  readonly stores: ClusterStores;
  readonly ledger: Pick<TrafficLedger, 'receive'>;
  /** Is told what proxies of the others use of what is sent on demand. */
  readonly use: NameUse;
  /** Roots that other replicas' certificates come from, PEM. */
  readonly roots: () => string;
  /** Namespace, name and address of this pod. */
  readonly self: { readonly namespace: string; readonly podName: string; readonly address: string };
  readonly clusterDomain: string;
  readonly logger: Logger;
}

/**
 * The replicas of the operator: all of them serve proxies, and each tells every other one what becomes of those it has. So every replica, whichever
 * leads, knows of all proxies what they have in force, and has all their counts.
 */
export class Replicas {
  readonly #options: ReplicasOptions;
  readonly #remote: RemoteProxies;
  /** Knows other replicas by the tokens of their pods. */
  readonly authenticator: TokenAuthenticator;
  readonly #questions: ReplicaQuestions;
  #links: ReplicaLinks | undefined;
  /** Other replicas that take connections and do not end. */
  #serving: readonly Replica[] = [];
  #local: Pick<AckReport, 'proxy'> | undefined;
  #balance: Balance | undefined;

  constructor(options: ReplicasOptions) {
    const { api, stores, ledger, use, logger } = options;
    this.#options = options;
    this.#questions = new ReplicaQuestions(this.#identity);
    this.authenticator = new TokenAuthenticator(replicaTokenPorts(api, stores, (pod) => this.#isReplica(pod)));
    this.#remote = new RemoteProxies({
      // A proxy that has come to this replica meanwhile tells more itself.
      metrics: (uid, message) => {
        if (this.#local?.proxy(uid)?.connected !== true) ledger.receive({ uid }, message);
      },
      use,
      logger,
    });
  }

  /** By which other replicas report here. */
  get call(): OtherCall {
    return { path: REPORT_PATH, authenticator: this.authenticator, conversation: this.#remote.conversation() };
  }

  /** Takes the metrics of proxies with a stream here, for this replica and the others. */
  get metricsSink(): MetricsSink {
    return {
      receive: (proxy, message) => {
        this.#options.ledger.receive(proxy, message);
        this.#links?.metrics(proxy.uid, message);
      },
    };
  }

  /** What all proxies have acknowledged. @param ads knows of those that have a stream here */
  reports(ads: AdsServer): AckReport {
    return new JoinedReports(ads.acks, this.#remote);
  }

  /** Begins to report to the other replicas, and follows which there are. The stores must have synced. */
  start(ads: AdsServer): void {
    const { stores, logger } = this.#options;
    this.#local = ads.acks;
    this.#links = new ReplicaLinks({
      identity: this.#identity,
      local: ads.acks,
      observe: (observer) => ads.observe(observer),
      logger,
    });
    const follow = (): void => {
      const others = this.#others();
      const reached = others.flatMap(replicaOf);
      this.#links?.set(reached);
      this.#questions.keep(new Set(reached.map(({ uid }) => uid)));
      this.#serving = others.filter((pod) => this.#takesConnections(pod)).flatMap(replicaOf);
    };
    stores.pods.onChange(({ object, previous }) => {
      if (![object, previous].some((pod) => pod !== undefined && this.#isReplica(pod))) return;
      follow();
      const uid = previous?.metadata?.uid;
      if (uid !== undefined && object?.metadata?.uid !== uid) this.authenticator.revoke(uid);
    });
    follow();
    this.#balance = new Balance({
      own: () => ads.connected,
      others: () => this.#counts(),
      letGo: (count) => {
        logger.info('lets proxies go to other replicas', { proxies: count });
        ads.letGo(count);
      },
    });
    this.#balance.start();
  }

  /** Whether every other replica that serves reports here: then a proxy that nobody reports has no stream anywhere. */
  hearsAll(): boolean {
    return this.#ready().every((uid) => this.#remote.hears(uid));
  }

  /** Those that count rate limits together. */
  get counting(): CountingReplicas {
    return {
      self: this.#options.self.podName,
      others: () => this.#serving.map(({ podName }) => podName),
      ask: async (name, question) => {
        const replica = this.#serving.find(({ podName }) => podName === name);
        if (replica === undefined) throw new Error(`replica ${name} is gone`);
        return this.#questions.ask(replica, COUNT_PATH, question, COUNT_MS);
      },
    };
  }

  /** What is still to be told to others of the proxies here. */
  get waiting(): number {
    return this.#links?.waiting ?? 0;
  }

  /** Names of those that serve and do not report here. */
  unheard(): string[] {
    const missing = this.#others().filter(({ metadata }) => {
      const uid = metadata?.uid ?? '';
      return this.#options.stores.servingSince(uid) !== undefined && !this.#remote.hears(uid);
    });
    return missing.map(({ metadata }) => metadata?.name ?? '');
  }

  /** Asks every other replica that runs; of one that does not answer in time there is no answer. */
  askOthers(path: string, withinMs: number): Promise<{ name: string; answer: Uint8Array | undefined }[]> {
    const others = this.#others().flatMap(replicaOf);
    return Promise.all(
      others.map(async (replica) => {
        const question = this.#questions.ask(replica, path, new Uint8Array(), withinMs);
        return { name: replica.podName, answer: await question.catch(() => undefined) };
      }),
    );
  }

  /** Why no more connections are to be led here, one sentence; undefined when there is no reason. */
  overload(ads: AdsServer): string | undefined {
    return overload(ads.waiting, ads.connected, this.#counts());
  }

  /** To be called first when this replica stops: it lets all go then. */
  beginStop(): void {
    this.#balance?.stop();
  }

  /** To be called when the last proxies are gone. */
  stop(): void {
    this.#links?.stop();
    this.#questions.stop();
  }

  get #identity(): LinkIdentity {
    const { self, clusterDomain, roots } = this.#options;
    const { namespace, podName, address } = self;
    return {
      nodeId: `sidecar~${address}~${podName}.${namespace}~${namespace}.svc.${clusterDomain}`,
      token: async () => (await readFile(path.join(TOKEN_MOUNT_PATH, TOKEN_FILE), 'utf8')).trim(),
      serverName: XDS_SERVER_NAME,
      roots,
    };
  }

  #takesConnections({ metadata }: Pod): boolean {
    const { stores } = this.#options;
    return metadata?.deletionTimestamp === undefined && stores.servingSince(metadata?.uid ?? '') !== undefined;
  }

  #counts(): readonly number[] | undefined {
    if (!this.hearsAll()) return undefined;
    const staying = this.#others().filter(({ metadata }) => metadata?.deletionTimestamp === undefined);
    return this.#ready(staying).map((uid) => this.#remote.countAt(uid));
  }

  /** UIDs of those that serve. */
  #ready(pods: readonly Pod[] = this.#others()): string[] {
    const { stores } = this.#options;
    const uids = pods.map(({ metadata }) => metadata?.uid ?? '');
    return uids.filter((uid) => stores.servingSince(uid) !== undefined);
  }

  #others(): Pod[] {
    const { stores, self } = this.#options;
    return [...stores.pods.list()].filter((pod) => this.#isReplica(pod) && pod.metadata?.name !== self.podName);
  }

  #isReplica({ metadata }: Pod): boolean {
    return (
      metadata?.namespace === this.#options.self.namespace &&
      metadata.labels?.['app.kubernetes.io/name'] === OPERATOR_SERVICE
    );
  }
}

/** One that can be reached, or none. */
function replicaOf({ metadata, status }: Pod): Replica[] {
  const { uid, name } = metadata ?? {};
  const { podIP, phase } = status ?? {};
  if (uid === undefined || name === undefined || !podIP || phase !== 'Running') return [];
  return [{ uid, podName: name, target: `${podIP.includes(':') ? `[${podIP}]` : podIP}:${XDS_PORT}` }];
}
