import type { EventDetails } from '../../../kube/event-recorder.ts';
import type { KubeApi } from '../../../kube/kube-api.ts';
import { KubeConnectionError } from '../../../kube/kube-error.ts';
import { silentLogger } from '../../../kube/logger.ts';
import { CertificateAuthority } from '../../../operator/certificates/authority.ts';
import { DEFAULT_LIFETIMES, type Lifetimes } from '../../../operator/certificates/lifetimes.ts';
import { RootController } from '../../../operator/certificates/root-controller.ts';
import { RootSource } from '../../../operator/certificates/root-source.ts';
import { NO_PROXIES, type ProxyTrustSource } from '../../../operator/certificates/trust-survey.ts';

type RootApi = Pick<KubeApi, 'get' | 'list' | 'create' | 'update' | 'apply' | 'watch'>;

/** A rotation takes a second, not minutes. */
export const QUICK: Lifetimes = { ...DEFAULT_LIFETIMES, propagationMs: 200 };

export interface RootReplicaOptions {
  readonly api: KubeApi;
  readonly namespace: string;
  readonly lifetimes?: Lifetimes;
  /** By how much its clock is ahead, ms. */
  readonly skewMs?: number;
  /** Absent: there are none. */
  readonly proxies?: ProxyTrustSource;
}

/** What of a replica of the operator has to do with the root; it believes that it leads. */
export class RootReplica {
  readonly authority: CertificateAuthority;
  /** Reasons and messages of events, in their order. */
  readonly events: string[] = [];
  /** While true it sees nothing of what changes: its watches end, and cannot begin again. */
  cutOff = false;
  readonly #source: RootSource;
  readonly #controller: RootController;
  #cut = new AbortController();

  constructor({ api, namespace, lifetimes = QUICK, skewMs = 0, proxies = NO_PROXIES }: RootReplicaOptions) {
    const now = () => Date.now() + skewMs;
    const { events } = this;
    const seeing: RootApi = {
      get: api.get.bind(api),
      list: api.list.bind(api),
      create: api.create.bind(api),
      update: api.update.bind(api),
      apply: api.apply.bind(api),
      watch: this.#watch(api),
    };
    const record = (_: unknown, { reason, message }: EventDetails) => void events.push(`${reason}: ${message}`);
    this.authority = new CertificateAuthority({ lifetimes, now });
    const options = { api: seeing, namespace, lifetimes, authority: this.authority, now, logger: silentLogger };
    this.#source = new RootSource(options);
    this.#controller = new RootController({ ...options, source: this.#source, proxies, events: { record } });
  }

  async start(): Promise<void> {
    await this.#source.start();
    this.#controller.start();
  }

  /** Ends the watches, and lets none begin until `see`. */
  lookAway(): void {
    this.cutOff = true;
    this.#cut.abort();
  }

  see(): void {
    this.cutOff = false;
    this.#cut = new AbortController();
  }

  async stop(): Promise<void> {
    this.authority.stop();
    this.#cut.abort();
    await this.#controller.stop();
    await this.#source.stop();
  }

  #watch(api: KubeApi): KubeApi['watch'] {
    const replica = this;
    return async function* (kind, options) {
      if (replica.cutOff) throw new KubeConnectionError('ECONNREFUSED', 'cut off by the test');
      const signal = AbortSignal.any([replica.#cut.signal, ...(options.signal ? [options.signal] : [])]);
      yield* api.watch(kind, { ...options, signal });
    };
  }
}
