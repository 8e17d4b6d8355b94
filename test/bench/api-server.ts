import { mkdir, readFile, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { stringify } from 'yaml';
import { ETCD, ensureBinary, KUBERNETES } from '../../hack/cluster/binaries.ts';
import { writeCertificates } from '../../hack/cluster/certificates.ts';
import { run } from '../../hack/cluster/command.ts';
import { apiServerArguments, etcdArguments } from '../../hack/cluster/components.ts';
import { writeKubeconfig } from '../../hack/cluster/kubeconfig.ts';
import { NODE_ADDRESS, type StateLayout } from '../../hack/cluster/layout.ts';
import { readRecords, startProcess, stopProcesses } from '../../hack/cluster/processes.ts';
import { inTree } from '../../hack/mesh/install.ts';
import { Kubectl } from '../../hack/mesh/kubectl.ts';
import { waitUntil } from '../../hack/mesh/wait.ts';
import { connectKube } from '../../kube/connect.ts';
import { SERVICE_ACCOUNT } from '../../kube/kinds.ts';
import type { KubeApi } from '../../kube/kube-api.ts';
import { established } from '../integration/support/established.ts';

/** One that lasts longer than the bench. */
const TOKEN_SECONDS = 7200;

interface TokenRequest {
  readonly status: { readonly token: string };
}

/** The pod that a token is bound to. */
export interface TokenPod {
  readonly name: string;
  readonly uid: string;
}

/** A real API server with its etcd, at the node's address: to be started where nobody else has that, in a network namespace. */
export class ApiServer {
  readonly api: KubeApi;
  readonly kubectl: Kubectl;
  readonly state: StateLayout;

  private constructor(state: StateLayout, api: KubeApi, kubectl: Kubectl) {
    this.state = state;
    this.api = api;
    this.kubectl = kubectl;
  }

  /** Starts it with Heddle's definitions and rights in it. @param state of a folder that is not there yet */
  static async start(state: StateLayout): Promise<ApiServer> {
    await run('ip', ['address', 'add', `${NODE_ADDRESS}/32`, 'dev', 'lo']);
    await mkdir(state.etcd, { recursive: true, mode: 0o700 });
    await writeCertificates(state.pki);
    await writeKubeconfig(state.pki, 'admin', state.kubeconfig);
    const binaries = path.dirname(await ensureBinary(KUBERNETES));
    const start = (name: string, program: string, args: readonly string[]) =>
      startProcess(state.processes, { name, program, args, logFile: path.join(state.logs, `${name}.log`) });
    await start('etcd', await ensureBinary(ETCD), etcdArguments(state));
    await start('kube-apiserver', path.join(binaries, 'kube-apiserver'), apiServerArguments(state));
    const api = connectKube({ kubeconfig: state.kubeconfig }, 'heddle-bench');
    const kubectl = new Kubectl({ program: path.join(binaries, 'kubectl'), kubeconfig: state.kubeconfig });
    const server = new ApiServer(state, api, kubectl);
    await waitUntil('the API server', () => api.raw('/readyz').then(() => undefined));
    await server.install();
    return server;
  }

  private async install(): Promise<void> {
    const { kubectl } = this;
    for (const folder of ['istio-crds', 'base/crds']) await kubectl.run(['apply', '-k', inTree(`manifests/${folder}`)]);
    for (const file of ['namespace', 'operator-rbac']) {
      await kubectl.run(['apply', '-f', inTree(`manifests/base/control-plane/${file}.yaml`)]);
    }
    const { items } = await kubectl.json<{ items: readonly { readonly metadata: { readonly name: string } }[] }>([
      'get',
      'crd',
    ]);
    await established(
      kubectl,
      items.map(({ metadata }) => metadata.name),
    );
  }

  /** A token of a ServiceAccount. @param bound the pod that it is good for, with its audience */
  async token(namespace: string, account: string, bound?: TokenPod & { readonly audience: string }): Promise<string> {
    const boundObjectRef = bound && { apiVersion: 'v1', kind: 'Pod', name: bound.name, uid: bound.uid };
    const spec = {
      expirationSeconds: TOKEN_SECONDS,
      ...(bound && { audiences: [bound.audience], boundObjectRef }),
    };
    const name = { namespace, name: account };
    const request = { apiVersion: 'authentication.k8s.io/v1', kind: 'TokenRequest', spec };
    const answer = await this.api.createSubresource<TokenRequest>(SERVICE_ACCOUNT, name, 'token', request);
    return answer.status.token;
  }

  /** Writes a kubeconfig of a ServiceAccount, for this server or one before it that may speak plain HTTP; gives its path. */
  async kubeconfigFor(namespace: string, account: string, server: string): Promise<string> {
    const file = path.join(this.state.root, `${account}.kubeconfig`);
    const config = {
      apiVersion: 'v1',
      kind: 'Config',
      'current-context': account,
      // Without that the client's library takes no plain HTTP.
      clusters: [{ name: account, cluster: { server, 'insecure-skip-tls-verify': true } }],
      users: [{ name: account, user: { token: await this.token(namespace, account) } }],
      contexts: [{ name: account, context: { cluster: account, user: account } }],
    };
    await writeFile(file, stringify(config), { mode: 0o600 });
    return file;
  }

  /** Certificate, PEM, that its own is signed by. */
  root(): Promise<string> {
    return readFile(path.join(this.state.pki, 'ca.crt'), 'utf8');
  }

  async stop(): Promise<void> {
    this.api.close();
    await stopProcesses(await readRecords(this.state.processes));
  }
}
