import type { KubeApi } from '../../kube/kube-api.ts';

const REQUESTS = 'apiserver_request_total';
const WRITES = new Set(['APPLY', 'PATCH', 'POST', 'PUT']);
/** Of all that is written. */
const KINDS = new Set(['canaries/status', 'events', 'deployments', 'pods/status']);

/** Counts what is written to an API server, by what that counts itself. */
export class ApiWrites {
  readonly #api: KubeApi;
  #before = new Map<string, number>();

  constructor(api: KubeApi) {
    this.#api = api;
  }

  /** Writes since the last call, by resource. */
  async take(): Promise<ReadonlyMap<string, number>> {
    const text = await this.#api.raw<string>('/metrics');
    const counts = new Map<string, number>();
    for (const line of text.split('\n')) {
      if (!line.startsWith(`${REQUESTS}{`)) continue;
      const labels = new Map(
        Array.from(line.matchAll(/(\w+)="([^"]*)"/g), ([, name = '', value = '']) => [name, value]),
      );
      const subresource = labels.get('subresource');
      const resource = `${labels.get('resource')}${subresource ? `/${subresource}` : ''}`;
      if (!WRITES.has(labels.get('verb') ?? '') || !KINDS.has(resource)) continue;
      counts.set(resource, (counts.get(resource) ?? 0) + Number(line.slice(line.lastIndexOf(' ') + 1)));
    }
    const grown = new Map(
      [...counts].map(([resource, count]) => [resource, count - (this.#before.get(resource) ?? 0)]),
    );
    this.#before = counts;
    return grown;
  }
}
