import type { Logger } from '../../kube/logger.ts';
import type { AckReport } from '../ads/ack-report.ts';
import type { ProxyObserver } from '../ads/proxy-observer.ts';
import { type LinkIdentity, type OpenLink, type Replica, ReplicaLink } from './replica-link.ts';
import { ReportQueue } from './report-queue.ts';

export interface ReplicaLinksOptions {
  readonly identity: LinkIdentity;
  /** The proxies with a stream here. */
  readonly local: Pick<AckReport, 'proxy'>;
  /** Tells of those there are, and of all that happens from then on; gives a function that ends that. */
  observe(observer: ProxyObserver): () => void;
  readonly logger: Logger;
}

/** Reports the proxies of this replica to every other one, so that whichever leads knows of all. */
export class ReplicaLinks {
  private readonly options: ReplicaLinksOptions;
  private readonly links = new Map<string, { readonly link: ReplicaLink; readonly target: string }>();
  private readonly queues = new Set<ReportQueue>();

  constructor(options: ReplicaLinksOptions) {
    this.options = options;
  }

  /** Takes in which other replicas there are. */
  set(replicas: readonly Replica[]): void {
    const wanted = new Map(replicas.map((replica) => [replica.uid, replica]));
    for (const [uid, { link, target }] of this.links) {
      if (wanted.get(uid)?.target === target) continue;
      link.stop();
      this.links.delete(uid);
    }
    for (const [uid, replica] of wanted) if (!this.links.has(uid)) this.begin(uid, replica);
  }

  /** Tells others of the metrics of a proxy: an encoded `StreamMetricsMessage`. */
  metrics(uid: string, message: Uint8Array): void {
    if (this.queues.size === 0) return;
    for (const queue of this.queues) queue.metrics(uid, message);
    this.notify();
  }

  /** What is still to be told, all replicas together. */
  get waiting(): number {
    return [...this.queues].reduce((sum, queue) => sum + queue.waiting, 0);
  }

  stop(): void {
    this.set([]);
  }

  private begin(uid: string, replica: Replica): void {
    const { identity, logger } = this.options;
    const link = new ReplicaLink(replica, identity, () => this.open(), logger);
    this.links.set(uid, { link, target: replica.target });
    link.run().catch((error: unknown) => logger.error('link to a replica failed', { error: String(error) }));
  }

  /** A queue that follows the proxies for as long as its stream is open. */
  private open(): OpenLink {
    const queue = new ReportQueue((uid) => this.options.local.proxy(uid));
    const end = this.options.observe({
      proxy: (uid, report) => {
        queue.proxy(uid, report);
        this.notify();
      },
      resources: (uid, typeUrl, names) => {
        queue.resources(uid, typeUrl, names);
        this.notify();
      },
    });
    this.queues.add(queue);
    return {
      queue,
      close: () => {
        end();
        this.queues.delete(queue);
        if (queue.dropped > 0) {
          this.options.logger.warn('metrics were not told to a replica that did not take them', {
            messages: queue.dropped,
          });
        }
      },
    };
  }

  private notify(): void {
    for (const { link } of this.links.values()) link.notify();
  }
}
