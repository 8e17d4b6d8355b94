import path from 'node:path';
import { fileURLToPath } from 'node:url';
import type { Kubectl } from './kubectl.ts';
import { waitUntil } from './wait.ts';

const ROOT = path.resolve(path.dirname(fileURLToPath(import.meta.url)), '..', '..');

/** A path inside the checkout. */
export const inTree = (relative: string): string => path.join(ROOT, relative);

interface WebhookConfiguration {
  readonly webhooks?: readonly { readonly clientConfig: { readonly caBundle?: string } }[];
}

/**
 * Installs Heddle as a user does (`kubectl apply -k`), and waits until it serves: both Deployments rolled out and every
 * `caBundle` filled in.
 * @param newImage the image behind the tag was changed: what runs already is restarted with it
 * @throws {Error} when it does not serve within two minutes; the message says what is missing
 */
export async function installHeddle(kubectl: Kubectl, newImage = false): Promise<void> {
  await installIstioCrds(kubectl);
  const before = await kubectl.try(['get', 'deployment', '-n', 'heddle-system', 'heddle-operator', '-o', 'name']);
  await kubectl.run(['apply', '-k', inTree('manifests/base')]);
  if (newImage && before.code === 0) await kubectl.run(['rollout', 'restart', '-n', 'heddle-system', 'deployment']);
  for (const name of ['heddle-operator', 'heddle-webhook']) {
    await kubectl.run(['rollout', 'status', '-n', 'heddle-system', `deployment/${name}`, '--timeout=120s'], {
      timeoutMs: 130_000,
    });
  }
  await waitUntil('the caBundle of the webhook configurations', async () => {
    for (const kind of ['mutatingwebhookconfiguration', 'validatingwebhookconfiguration']) {
      const { webhooks = [] } = await kubectl.json<WebhookConfiguration>(['get', kind, 'heddle-webhook']);
      const isEmpty = webhooks.length === 0 || webhooks.some(({ clientConfig }) => !clientConfig.caBundle);
      if (isEmpty) return `${kind} heddle-webhook has none`;
    }
    return undefined;
  });
}

/** Istio's definitions are applied only where they are absent or ours: those of an Istio know more fields and hold its objects. */
async function installIstioCrds(kubectl: Kubectl): Promise<void> {
  const name = 'peerauthentications.security.istio.io';
  const args = ['get', 'crd', name, '-o', 'jsonpath={.metadata.labels.app\\.kubernetes\\.io/part-of}'];
  const { code, stdout } = await kubectl.try(args);
  if (code === 0 && stdout.trim() !== 'heddle') return;
  await kubectl.run(['apply', '-k', inTree('manifests/istio-crds')]);
}
