import { Agent, get } from 'node:https';
import type { Kubectl } from '../../../hack/mesh/kubectl.ts';

/** Where the API has the kinds that tests look at again and again, by their name in the singular and the plural as kubectl takes them. */
const COLLECTIONS: Readonly<Record<string, readonly [api: string, collection: string]>> = {
  pod: ['api/v1', 'pods'],
  deployment: ['apis/apps/v1', 'deployments'],
  canary: ['apis/heddle.dev/v1alpha1', 'canaries'],
  ratelimitpolicy: ['apis/heddle.dev/v1alpha1', 'ratelimitpolicies'],
  virtualservice: ['apis/networking.istio.io/v1', 'virtualservices'],
  destinationrule: ['apis/networking.istio.io/v1', 'destinationrules'],
  serviceentry: ['apis/networking.istio.io/v1', 'serviceentries'],
  workloadentry: ['apis/networking.istio.io/v1', 'workloadentries'],
  sidecar: ['apis/networking.istio.io/v1', 'sidecars'],
  authorizationpolicy: ['apis/security.istio.io/v1', 'authorizationpolicies'],
  peerauthentication: ['apis/security.istio.io/v1', 'peerauthentications'],
  requestauthentication: ['apis/security.istio.io/v1', 'requestauthentications'],
};

interface RawConfig {
  readonly clusters?: readonly { readonly cluster: Readonly<Record<string, string>> }[];
  readonly users?: readonly { readonly user: Readonly<Record<string, string>> }[];
}

/** Reads objects over one connection: a process of kubectl for each look takes the CPU time that what is waited for needs. */
export class ApiReader {
  readonly #server: string;
  readonly #agent: Agent;

  private constructor(server: string, agent: Agent) {
    this.#server = server;
    this.#agent = agent;
  }

  /** @returns undefined when the cluster is not asked with a client certificate: then kubectl is the way */
  static async connect(kubectl: Kubectl): Promise<ApiReader | undefined> {
    const config = await kubectl.json<RawConfig>(['config', 'view', '--raw', '--minify', '--flatten']);
    const { server, 'certificate-authority-data': ca } = config.clusters?.[0]?.cluster ?? {};
    const { 'client-certificate-data': cert, 'client-key-data': key } = config.users?.[0]?.user ?? {};
    if (!server || !ca || !cert || !key) return undefined;
    const [caPem, certPem, keyPem] = [ca, cert, key].map((text) => Buffer.from(text, 'base64'));
    return new ApiReader(server, new Agent({ keepAlive: true, ca: caPem, cert: certPem, key: keyPem }));
  }

  /** Where objects of a kind are. @param kind singular or plural; undefined is given for one that is not looked at often */
  static path(kind: string, namespace: string): string | undefined {
    const found = COLLECTIONS[kind] ?? Object.values(COLLECTIONS).find(([, collection]) => collection === kind);
    return found && `/${found[0]}/namespaces/${namespace}/${found[1]}`;
  }

  /** @returns what is at a path; undefined for 404. @throws {Error} for any other answer than 200 */
  read<T>(path: string): Promise<T | undefined> {
    return new Promise((resolve, reject) => {
      const request = get(`${this.#server}${path}`, { agent: this.#agent, timeout: 20_000 }, (response) => {
        let text = '';
        response.setEncoding('utf8').on('data', (part: string) => {
          text += part;
        });
        response.on('error', reject).on('end', () => {
          const { statusCode } = response;
          if (statusCode === 200) resolve(JSON.parse(text) as T);
          else if (statusCode === 404) resolve(undefined);
          else reject(new Error(`GET ${path}: ${statusCode}: ${text.slice(0, 500)}`));
        });
      });
      request.on('timeout', () => request.destroy(new Error(`GET ${path}: no answer in 20 s`))).on('error', reject);
    });
  }

  close(): void {
    this.#agent.destroy();
  }
}
