import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, open, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { NODE_ADDRESS } from '../../hack/cluster/layout.ts';
import { keda } from '../../hack/keda/release.ts';
import type { Kubectl } from '../../hack/mesh/kubectl.ts';
import { waitUntil } from '../../hack/mesh/wait.ts';
import { issueCertificate } from '../e2e/testbed/certificate.ts';
import { EXTERNAL_METRICS_API, externalMetrics } from './external-metrics.ts';

const ADAPTER_PORT = 16_443;
const OPERATOR = 'localhost:19666';

/** KEDA's own two programs beside a cluster on this machine. */
export interface RunningKeda {
  /** Ends them, and takes away what they brought to the cluster. */
  readonly stop: () => Promise<void>;
}

/**
 * Starts KEDA against a cluster on this machine, and waits until autoscalers are told external metrics.
 * @param kubeconfig of somebody who may do everything
 * @throws Error when it does not come up; the message says where its logs are
 */
export async function startKeda(kubectl: Kubectl, kubeconfig: string): Promise<RunningKeda> {
  const { operator, adapter, definitions } = await keda();
  const folder = await mkdtemp(path.join(tmpdir(), 'heddle-keda-'));
  await writeCertificates(folder);
  await kubectl.run(['apply', '--server-side', '-f', definitions]);
  await kubectl.apply(externalMetrics(NODE_ADDRESS, ADAPTER_PORT));
  const env = { ...process.env, KUBECONFIG: kubeconfig, WATCH_NAMESPACE: '', KEDA_CLUSTER_OBJECT_NAMESPACE: 'default' };
  const start = async (name: string, program: string, args: readonly string[]): Promise<ChildProcess> => {
    const log = await open(path.join(folder, `${name}.log`), 'a');
    const child = spawn(program, args, { env, stdio: ['ignore', log.fd, log.fd] });
    await once(child, 'spawn');
    await log.close();
    return child;
  };
  const children = [
    await start('operator', operator, [
      `--cert-dir=${folder}`,
      `--metrics-service-bind-address=${OPERATOR}`,
      '--metrics-bind-address=0',
      '--health-probe-bind-address=0',
      '--zap-encoder=console',
    ]),
    await start('adapter', adapter, [
      `--cert-dir=${folder}`,
      `--tls-cert-file=${folder}/tls.crt`,
      `--tls-private-key-file=${folder}/tls.key`,
      `--secure-port=${ADAPTER_PORT}`,
      `--metrics-service-address=${OPERATOR}`,
      '--port=18082',
      ...['authentication', 'authorization', 'lister'].map((who) => `--${who}-kubeconfig=${kubeconfig}`),
    ]),
  ];
  const stop = async (): Promise<void> => {
    // They have a finalizer, which KEDA alone takes away.
    await kubectl.run(['delete', '--all', '--all-namespaces', 'scaledobjects']);
    // Before its server goes: while an API is listed that nobody serves, no namespace can be deleted.
    await kubectl.run(['delete', '--ignore-not-found', 'apiservice', EXTERNAL_METRICS_API]);
    for (const child of children) {
      if (child.exitCode === null && child.kill('SIGKILL')) await once(child, 'exit');
    }
    await kubectl.run(['delete', '--ignore-not-found', '-f', '-'], {
      input: externalMetrics(NODE_ADDRESS, ADAPTER_PORT),
    });
    await kubectl.run(['delete', '--ignore-not-found', '-f', definitions]);
    await rm(folder, { recursive: true, force: true });
  };
  await waitUntil(
    `${EXTERNAL_METRICS_API}; logs in ${folder}`,
    async () => {
      const { code, stderr } = await kubectl.try(['get', '--raw', '/apis/external.metrics.k8s.io/v1beta1']);
      return code === 0 ? undefined : stderr;
    },
    { timeoutMs: 120_000, everyMs: 1000 },
  );
  return { stop };
}

/** What the two prove to each other who they are with. */
async function writeCertificates(folder: string): Promise<void> {
  const authority = issueCertificate({ commonName: 'keda', authority: true });
  const issuer = { commonName: 'keda', key: authority.key };
  const own = issueCertificate({ commonName: 'localhost', names: ['localhost'], issuer });
  const files = { 'ca.crt': authority.cert, 'tls.crt': own.cert, 'tls.key': own.key };
  for (const [name, text] of Object.entries(files)) await writeFile(path.join(folder, name), text, { mode: 0o600 });
}
