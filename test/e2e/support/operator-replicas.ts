import { readdir, readFile } from 'node:fs/promises';
import type { Kubectl } from '../../../hack/mesh/kubectl.ts';
import { waitUntil } from '../../../hack/mesh/wait.ts';

const SYSTEM = 'heddle-system';
const OPERATOR = 'deployment/heddle-operator';
const HEALTH_PORT = 8080;

/** Scales the operator, and waits until so many replicas serve, and no others are left. */
export async function scaleOperator(kubectl: Kubectl, replicas: number): Promise<void> {
  await kubectl.run(['scale', '-n', SYSTEM, OPERATOR, `--replicas=${replicas}`]);
  await kubectl.run(['rollout', 'status', '-n', SYSTEM, OPERATOR, '--timeout=120s'], { timeoutMs: 130_000 });
  await waitUntil(`${replicas} pods of the operator`, async () => {
    const names = await operatorPods(kubectl);
    return names.length === replicas ? undefined : names.join(', ');
  });
}

/** Names of the operator's pods. */
export async function operatorPods(kubectl: Kubectl): Promise<string[]> {
  const selector = ['-n', SYSTEM, '-l', 'app.kubernetes.io/name=heddle-operator'];
  const { items } = await kubectl.json<{ items: { metadata: { name: string } }[] }>(['get', 'pods', ...selector]);
  return items.map(({ metadata }) => metadata.name);
}

/** Name of the pod that leads. */
export function leader(kubectl: Kubectl): Promise<string> {
  return kubectl.run(['get', 'lease', '-n', SYSTEM, 'heddle-operator', '-o', 'jsonpath={.spec.holderIdentity}']);
}

/** Ends a replica as a crash of its node would: it is given no time. */
export async function killReplica(kubectl: Kubectl, pod: string): Promise<void> {
  await kubectl.run(['delete', 'pod', '-n', SYSTEM, pod, '--grace-period=0', '--force', '--wait=false']);
}

/**
 * Has a replica stand still, as when its node has no memory or time for it: its connections stay, and nothing answers on them. The node is this machine.
 * @returns has it go on, where it is still there
 */
export async function freezeReplica(pod: string): Promise<() => void> {
  for (const entry of await readdir('/proc')) {
    const environment = /^\d+$/.test(entry) ? await readFile(`/proc/${entry}/environ`, 'utf8').catch(() => '') : '';
    if (!environment.split('\0').includes(`POD_NAME=${pod}`)) continue;
    const pid = Number(entry);
    process.kill(pid, 'SIGSTOP');
    return () => {
      try {
        process.kill(pid, 'SIGCONT');
      } catch {
        // It was killed meanwhile.
      }
    };
  }
  throw new Error(`no process of ${pod} on this machine`);
}

/** How many proxies have their stream at each replica, by the name of its pod. */
export async function proxiesByReplica(kubectl: Kubectl): Promise<Record<string, number>> {
  const counts: Record<string, number> = {};
  for (const pod of await operatorPods(kubectl)) {
    const text = await kubectl.run([
      'get',
      '--raw',
      `/api/v1/namespaces/${SYSTEM}/pods/${pod}:${HEALTH_PORT}/proxy/metrics`,
    ]);
    counts[pod] = Number(/^heddle_ads_connected_proxies (\d+)$/m.exec(text)?.[1] ?? Number.NaN);
  }
  return counts;
}
