import type { KubeConfig, V1Pod } from '@kubernetes/client-node';
import { POD } from '../../kube/kinds.ts';
import type { KubeApi } from '../../kube/kube-api.ts';
import { OPERATOR_SERVICE, SYSTEM_NAMESPACE } from '../../proxy/names.ts';
import { DASHBOARD_PORT } from '../../proxy/ports.ts';
import { CliError } from '../cli-error.ts';
import { type PodHttp, podHttp } from './pod-http.ts';
import { openTunnel, type Tunnel } from './tunnel.ts';

/** What is asked of a cluster to reach the operator. */
export interface Reach {
  readonly api: Pick<KubeApi, 'list'>;
  readonly config: KubeConfig;
}

/** Names of the operator's pods, those that are ready first. @throws {CliError} with code 3 when there is none that runs */
async function operatorPods(api: Pick<KubeApi, 'list'>, signal?: AbortSignal): Promise<readonly string[]> {
  const labelSelector = `app.kubernetes.io/name=${OPERATOR_SERVICE}`;
  const { items } = await api.list<V1Pod>(POD, { namespace: SYSTEM_NAMESPACE, labelSelector, signal });
  const running = items.filter(({ status, metadata }) => status?.phase === 'Running' && !metadata?.deletionTimestamp);
  if (running.length === 0) throw noOperator(`no pod of the operator runs in namespace ${SYSTEM_NAMESPACE}`);
  return running
    .map((pod) => ({ name: pod.metadata?.name ?? '', late: isReady(pod) ? 0 : 1 }))
    .sort((a, b) => a.late - b.late || a.name.localeCompare(b.name))
    .map(({ name }) => name);
}

/**
 * The operator's JSON (`api/view`). All replicas answer alike, so it stays with the first that answers, and goes to another when that
 * one goes. Whoever makes one closes it.
 */
export class OperatorClient {
  readonly #reach: Reach;
  readonly #httpTo: (pod: string) => PodHttp;
  #current: PodHttp | undefined;

  /** @param httpTo gives HTTP to the page of a replica; default: through the API server */
  constructor(reach: Reach, httpTo: (pod: string) => PodHttp = (pod) => pageOf(reach, pod)) {
    this.#reach = reach;
    this.#httpTo = httpTo;
  }

  /**
   * Asks a path, such as `/api/graph?seconds=60`.
   * @param signal ends the wait for an answer, with an error
   * @throws {CliError} with code 3 when no replica answers; KubeError when the API server refuses
   */
  async get<T>(path: string, signal?: AbortSignal): Promise<T> {
    if (this.#current !== undefined) {
      try {
        return await this.#current.json<T>(path, signal);
      } catch (error) {
        if (signal?.aborted || !isUnreachable(error)) throw error;
        this.close();
      }
    }
    const attempt = async (pod: string): Promise<T> => {
      const http = this.#httpTo(pod);
      try {
        const answer = await http.json<T>(path, signal);
        this.#current = http;
        return answer;
      } catch (error) {
        http.close();
        throw error;
      }
    };
    return tryEach(this.#reach, attempt, signal);
  }

  close(): void {
    this.#current?.close();
    this.#current = undefined;
  }
}

function pageOf({ config }: Reach, pod: string): PodHttp {
  return podHttp(config, { namespace: SYSTEM_NAMESPACE, pod, port: DASHBOARD_PORT }, `the operator (${pod})`);
}

/** A connection to the page of a replica that is there now. @throws {CliError} with code 3 when there is none */
export function openOperator(reach: Reach): Promise<Tunnel> {
  return tryEach(reach, (pod) => openTunnel(reach.config, { namespace: SYSTEM_NAMESPACE, pod, port: DASHBOARD_PORT }));
}

/** The first success with one of the replicas; what can't be helped by another is not tried with one. */
async function tryEach<T>({ api }: Reach, attempt: (pod: string) => Promise<T>, signal?: AbortSignal): Promise<T> {
  let last: unknown;
  for (const pod of await operatorPods(api, signal)) {
    try {
      return await attempt(pod);
    } catch (error) {
      if (signal?.aborted || !isUnreachable(error)) throw error;
      last = error;
    }
  }
  throw noOperator(`the operator does not answer (${(last as Error).message})`);
}

/** Whether another replica could do better: the pod is gone, or nobody listens, or not in time. */
function isUnreachable(error: unknown): boolean {
  const { name, code } = error as { name?: string; code?: unknown };
  if (name === 'KubeError') return code !== 401 && code !== 403;
  // A CliError of code 3 is an answer that did not come in time; of another code, an answer.
  return name !== 'CliError' || code === 3;
}

function noOperator(message: string): CliError {
  return new CliError(message, `see why: kubectl -n ${SYSTEM_NAMESPACE} get pods, and heddle check`, 3);
}

function isReady({ status }: V1Pod): boolean {
  return status?.conditions?.some(({ type, status: value }) => type === 'Ready' && value === 'True') ?? false;
}
