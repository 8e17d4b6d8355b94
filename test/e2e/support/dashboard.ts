import type { GraphView } from '../../../api/view/graph-view.ts';
import type { Forward, Kubectl } from '../../../hack/mesh/kubectl.ts';
import { DASHBOARD_PORT } from '../../../proxy/ports.ts';
import { operatorPods } from './operator-replicas.ts';

const SYSTEM = 'heddle-system';

/** What one replica of the operator shows, read as people do: by a port that the API server forwards. */
export class Dashboard {
  readonly #forward: Forward;

  private constructor(forward: Forward) {
    this.#forward = forward;
  }

  /** @param pod of the operator; default: one of them */
  static async open(kubectl: Kubectl, pod?: string): Promise<Dashboard> {
    const name = pod ?? (await operatorPods(kubectl))[0];
    if (name === undefined) throw new Error('there is no operator');
    return new Dashboard(await kubectl.forward(['-n', SYSTEM, `pod/${name}`], DASHBOARD_PORT));
  }

  /** Where it is, without a slash at the end. */
  get url(): string {
    return `http://127.0.0.1:${this.#forward.port}`;
  }

  /** Asks a path. @throws {Error} when it is not answered 200 */
  async get<T>(path: string): Promise<T> {
    const answer = await fetch(`${this.url}${path}`);
    const text = await answer.text();
    if (answer.status !== 200) throw new Error(`${path}: ${answer.status}: ${text.slice(0, 500)}`);
    return JSON.parse(text) as T;
  }

  /** The graph of a namespace. @param seconds length of the window */
  graph(namespace: string, seconds: number): Promise<GraphView> {
    return this.get(`/api/graph?namespace=${namespace}&seconds=${seconds}`);
  }

  close(): Promise<void> {
    return this.#forward.end();
  }
}
