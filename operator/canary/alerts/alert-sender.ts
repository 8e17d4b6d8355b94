import type { AlertProvider, AlertProviderSpec } from '../../../api/alert-provider.ts';
import type { Canary } from '../../../api/canary.ts';
import { canaryAlerts } from '../../../api/canary-alert.ts';
import { ALERT_PROVIDER } from '../../../kube/kinds.ts';
import type { KubeApi } from '../../../kube/kube-api.ts';
import type { Logger } from '../../../kube/logger.ts';
import { mergeConditions } from '../../../kube/status.ts';
import { CallQueue } from '../call-queue.ts';
import type { CanaryEvent } from '../draft.ts';
import type { HookRunnerOptions } from '../hook-runner.ts';
import { pause } from '../pause.ts';
import { FIELD_MANAGER } from '../targets/borrowed-fields.ts';
import type { Alert } from './alert.ts';
import { ALERT_FORMATS } from './formats.ts';
import { type FoundProvider, findProvider, ProviderError } from './provider-source.ts';
import { isWanted, severityOf } from './severity.ts';

const AT_ONCE = 8;
const AT_ONCE_EACH = 2;
/** More than this waits for no one. */
const MAX_WAITING = 500;
const TIMEOUT_MS = 10_000;
const RETRIES = 3;
const FIRST_RETRY_MS = 1000;

export interface AlertSenderOptions extends Pick<HookRunnerOptions, 'post' | 'isLeader'> {
  readonly api: Pick<KubeApi, 'get' | 'apply'>;
  /** Records an event about a Canary whose alert was not delivered. */
  readonly event: (canary: Canary, event: CanaryEvent) => void;
  readonly logger: Logger;
  /** ms before the first retry, doubled each time. */
  readonly retryMs?: number;
}

/** Why an alert was not taken, and whether another try may help. */
interface Problem {
  readonly message: string;
  readonly again: boolean;
}

/** Tells people of releases, beside the controller's own work: within bounds, with retries, and never so that a release waits for it. */
export class AlertSender {
  readonly #options: AlertSenderOptions;
  readonly #queue = new CallQueue({ atOnce: AT_ONCE, atOnceEach: AT_ONCE_EACH });
  readonly #end = new AbortController();

  constructor(options: AlertSenderOptions) {
    this.#options = options;
  }

  /** Sends an event to all who want to hear of it. @param canary as its status is now */
  send(canary: Canary, event: CanaryEvent): void {
    const severity = severityOf(event);
    if (severity === undefined) return;
    // Of a spec that is not valid it is read what can be.
    const { data: alerts = [] } = canaryAlerts.safeParse(canary.spec?.analysis?.alerts);
    const told = alertOf(canary, event, severity);
    for (const { name, providerRef } of alerts.filter((alert) => isWanted(alert, severity))) {
      const namespace = providerRef.namespace ?? canary.metadata.namespace;
      if (this.#queue.length >= MAX_WAITING) {
        this.#complain(canary, name, 'too many alerts wait already');
        continue;
      }
      this.#queue.add(`${namespace}/${providerRef.name}`, () =>
        this.#deliver(canary, name, namespace, providerRef.name, told),
      );
    }
  }

  stop(): void {
    this.#end.abort();
    this.#queue.clear();
  }

  async #deliver(canary: Canary, alert: string, namespace: string, name: string, told: Alert): Promise<void> {
    let found: FoundProvider | undefined;
    try {
      found = await findProvider(this.#options.api, namespace, name);
      await this.#try(found, told);
      await this.#say(found.provider, 'True', 'Taken', 'The last alert was taken.');
    } catch (error) {
      if (this.#end.signal.aborted) return;
      const message = error instanceof Error ? error.message : String(error);
      const reason = error instanceof ProviderError ? error.reason : 'NotTaken';
      const provider = error instanceof ProviderError ? error.provider : found?.provider;
      this.#complain(canary, alert, message);
      if (provider) await this.#say(provider, 'False', reason, message);
    }
  }

  /** @throws {Error} what went wrong the last time, without the address */
  async #try({ spec, address }: FoundProvider, told: Alert): Promise<void> {
    const { url, body } = ALERT_FORMATS[spec.type](told, spec, address);
    const { retryMs = FIRST_RETRY_MS } = this.#options;
    for (let tries = 1; ; tries++) {
      const problem = await this.#post(url, body, spec);
      if (problem === undefined) return;
      const last = !problem.again || tries > RETRIES || this.#end.signal.aborted;
      if (last) throw new Error(tries > 1 ? `${problem.message}, after ${tries} tries` : problem.message);
      await pause(retryMs * 2 ** (tries - 1), this.#end.signal);
    }
  }

  async #post(url: string, body: object, { type, proxy }: AlertProviderSpec): Promise<Problem | undefined> {
    const { post, isLeader } = this.#options;
    if (!isLeader()) return { message: 'this replica of the operator does not lead any more', again: false };
    try {
      const { status } = await post(url, body, {
        timeoutMs: TIMEOUT_MS,
        signal: this.#end.signal,
        ...(proxy && { proxy }),
      });
      if (status >= 200 && status < 300) return undefined;
      return { message: `${type} answers ${status}`, again: status >= 500 || status === 429 };
    } catch (error) {
      return { message: error instanceof Error ? error.message : String(error), again: true };
    }
  }

  #complain(canary: Canary, alert: string, message: string): void {
    const { name, namespace } = canary.metadata;
    this.#options.logger.warn('alert not delivered', { canary: `${namespace}/${name}`, alert, why: message });
    this.#options.event(canary, {
      type: 'Warning',
      reason: 'AlertFailed',
      message: `spec.analysis.alerts: ${alert} was not delivered: ${message}`,
    });
  }

  /** Writes the condition where it is not so already; a condition is not worth a retry. */
  async #say(provider: AlertProvider, status: 'True' | 'False', reason: string, message: string): Promise<void> {
    const { apiVersion, kind, metadata, status: present } = provider;
    const before = present?.conditions?.find(({ type }) => type === 'Delivered');
    if (before?.status === status && before.reason === reason && before.message === message) return;
    const wanted = { type: 'Delivered', status, reason, message, observedGeneration: metadata.generation ?? 0 };
    const conditions = mergeConditions(present?.conditions ?? [], [wanted], new Date().toISOString());
    const { name, namespace } = metadata;
    const body = { apiVersion, kind, metadata: { name, namespace }, status: { conditions } };
    await this.#options.api
      .apply(ALERT_PROVIDER, body, { fieldManager: FIELD_MANAGER, subresource: 'status' })
      .catch((error: unknown) => {
        this.#options.logger.warn('condition of an AlertProvider could not be written', {
          provider: `${namespace}/${name}`,
          error,
        });
      });
  }
}

function alertOf({ metadata, spec, status = {} }: Canary, event: CanaryEvent, severity: Alert['severity']): Alert {
  const { phase = 'Initializing', canaryRevision, failedRevision, stableRevision = '', weight = 0 } = status;
  const revision = canaryRevision ?? failedRevision ?? stableRevision;
  const facts: Alert['facts'] = [
    ['Target', `${spec?.targetRef?.kind}/${spec?.targetRef?.name}`],
    ['Phase', phase],
    ['Revision', revision],
    ['Stable revision', stableRevision],
    ['Weight', `${weight} %`],
  ];
  return {
    name: metadata.name,
    namespace: metadata.namespace,
    severity,
    reason: event.reason,
    message: event.message,
    phase,
    revision,
    time: new Date().toISOString(),
    // Discord refuses a message with an empty one.
    facts: facts.filter(([, value]) => value !== ''),
  };
}
