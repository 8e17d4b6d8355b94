import { ADMIN_PORT } from '../../../proxy/ports.ts';
import type { TestNamespace } from './namespace.ts';
import { Client } from './testbed-client.ts';

/** Envoy's admin interface of a testbed pod, asked from inside the pod. */
export class ProxyAdmin {
  readonly #client: Client;

  constructor(namespace: TestNamespace, target: string) {
    this.#client = new Client(namespace, target);
  }

  /** Gets a path of the admin interface. @throws {Error} when it does not answer 200 */
  async get(path: string): Promise<string> {
    const { status, body, error } = await this.#client.http(`http://127.0.0.1:${ADMIN_PORT}${path}`);
    if (status !== 200 || body === undefined) throw new Error(`Envoy admin ${path}: ${status ?? error}`);
    return body;
  }

  /** Counters and gauges whose name matches, by name. @param filter regular expression in RE2 syntax */
  async stats(filter: string): Promise<Readonly<Record<string, number>>> {
    const text = await this.get(`/stats?filter=${encodeURIComponent(filter)}`);
    const pairs = text.split('\n').map((line): [string, number] => {
      const at = line.lastIndexOf(': ');
      return [line.slice(0, at), Number(line.slice(at + 2))];
    });
    return Object.fromEntries(pairs.filter(([name, value]) => name !== '' && !Number.isNaN(value)));
  }

  /** Sum of the counters whose name matches. */
  async total(filter: string): Promise<number> {
    return Object.values(await this.stats(filter)).reduce((sum, value) => sum + value, 0);
  }
}
