import { parse, stringify } from 'yaml';
import type { Kubectl } from '../../../hack/mesh/kubectl.ts';

const SYSTEM = 'heddle-system';
const OPERATOR = 'deployment/heddle-operator';

/** Restarts the operator and waits until the new one serves. */
export async function restartOperator(kubectl: Kubectl): Promise<void> {
  await kubectl.run(['rollout', 'restart', '-n', SYSTEM, OPERATOR]);
  await kubectl.run(['rollout', 'status', '-n', SYSTEM, OPERATOR, '--timeout=120s'], { timeoutMs: 130_000 });
}

/**
 * Changes the certificates' lifetimes in the mesh settings, of which the webhook reads nothing.
 * @param lifetimes fields of `certificates` in mesh.yaml
 * @returns puts the settings back as they were
 */
export function withLifetimes(
  kubectl: Kubectl,
  lifetimes: Readonly<Record<string, string>>,
): Promise<() => Promise<void>> {
  const change = ({ certificates }: Settings) => ({ certificates: { ...certificates, ...lifetimes } });
  return withSettings(kubectl, change, restartOperator);
}

interface Settings {
  readonly certificates?: object;
}

/**
 * Changes the mesh settings and restarts operator and webhook, which read them at their start.
 * @param change gives the fields of mesh.yaml that are to be others
 * @param restart restarts those that are to know of it
 * @returns puts the settings back as they were
 */
export async function withSettings(
  kubectl: Kubectl,
  change: (settings: Settings) => object,
  restart: (kubectl: Kubectl) => Promise<void> = restartBoth,
): Promise<() => Promise<void>> {
  const map = await kubectl.json<{ data: { 'mesh.yaml': string } }>(['get', 'configmap', '-n', SYSTEM, 'heddle-mesh']);
  const before = map.data['mesh.yaml'];
  const settings = parse(before) as Settings;
  const write = async (text: string): Promise<void> => {
    const patch = JSON.stringify({ data: { 'mesh.yaml': text } });
    await kubectl.run(['patch', 'configmap', '-n', SYSTEM, 'heddle-mesh', '--type=merge', '-p', patch]);
    await restart(kubectl);
  };
  await write(stringify({ ...settings, ...change(settings) }));
  return () => write(before);
}

async function restartBoth(kubectl: Kubectl): Promise<void> {
  // The webhook takes changes in by itself, but each of its pods only when its kubelet has brought them, within a minute or two.
  const webhook = 'deployment/heddle-webhook';
  await kubectl.run(['rollout', 'restart', '-n', SYSTEM, webhook]);
  await restartOperator(kubectl);
  await kubectl.run(['rollout', 'status', '-n', SYSTEM, webhook, '--timeout=120s'], { timeoutMs: 130_000 });
}
