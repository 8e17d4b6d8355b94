import { writeFile } from 'node:fs/promises';
import path from 'node:path';
import { waitFor, waitUntil } from '../../hack/mesh/wait.ts';
import { CONFIG_MAP } from '../../kube/kinds.ts';
import type { KubeObject } from '../../kube/object.ts';
import { SYSTEM_NAMESPACE, TRUST_CONFIG_MAP, TRUST_PEM_KEY, XDS_SERVER_NAME } from '../../proxy/names.ts';
import { XDS_PORT } from '../../proxy/ports.ts';
import type { ApiServer } from './api-server.ts';
import { Child, OPERATOR_ENVIRONMENT, OPERATOR_FLAGS } from './child.ts';
import type { Spent } from './memory-report.ts';
import type { ServerPlace } from './messages.ts';

const SETTINGS = 'proxy: {configurationLoading: on-demand}\n';
const READYZ = 'http://127.0.0.1:8080/readyz';

/** The operator as it is in its pod, with the rights of its ServiceAccount. */
export class OperatorProcess {
  readonly place: ServerPlace;
  private readonly child: Child;

  private constructor(child: Child, place: ServerPlace) {
    this.child = child;
    this.place = place;
  }

  /**
   * Starts it and waits until it serves.
   * @param url of the API server as it is to see it
   * @param namespace one with pods of the mesh, from which its root is taken
   */
  static async start(server: ApiServer, url: string, namespace: string): Promise<OperatorProcess> {
    const { root, logs } = server.state;
    const settings = path.join(root, 'mesh.yaml');
    await writeFile(settings, SETTINGS);
    const env = {
      ...process.env,
      ...OPERATOR_ENVIRONMENT,
      KUBECONFIG: await server.kubeconfigFor(SYSTEM_NAMESPACE, 'heddle-operator', url),
      HEDDLE_MESH_CONFIG: settings,
      HEDDLE_LOG_FORMAT: 'json',
      POD_NAMESPACE: SYSTEM_NAMESPACE,
      POD_NAME: 'heddle-operator-bench',
      POD_IP: '127.0.0.1',
    };
    const logFile = path.join(logs, 'operator.log');
    const options = { flags: OPERATOR_FLAGS, env, preload: './memory-report.ts', logFile };
    const child = new Child('../../operator/main.ts', '', options);
    await waitUntil('the operator', async () => {
      const answer = await fetch(READYZ);
      return answer.ok ? undefined : answer.text();
    });
    const rootPem = await waitFor('the trust ConfigMap', async () => {
      const name = { namespace, name: TRUST_CONFIG_MAP };
      const { data } = await server.api.get<KubeObject & { data?: Record<string, string> }>(CONFIG_MAP, name);
      return data?.[TRUST_PEM_KEY];
    });
    return new OperatorProcess(child, { port: XDS_PORT, certificate: { rootPem }, serverName: XDS_SERVER_NAME });
  }

  /** Bytes of heap and buffers after a collection. */
  async memory(): Promise<number> {
    return (await this.child.ask<{ readonly heap: number }>({ kind: 'memory' })).heap;
  }

  /** What it has spent; the first call begins to watch its turns. */
  spent(): Promise<Spent> {
    return this.child.ask<Spent>({ kind: 'spent' });
  }

  stop(): Promise<void> {
    return this.child.stop();
  }
}
