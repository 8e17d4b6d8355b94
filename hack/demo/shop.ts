import { inTree } from '../mesh/install.ts';
import type { Kubectl, KubectlResult } from '../mesh/kubectl.ts';
import { waitUntil } from '../mesh/wait.ts';

export const SHOP = 'shop';
/** A namespace outside the mesh, for a caller without a sidecar. */
export const OUTSIDE = 'shop-outside';

/** What the load generator of the shop counted since it started. */
export interface Counts {
  readonly sent: number;
  readonly ok: number;
  readonly failed: number;
  readonly services: Readonly<Record<string, Readonly<Record<string, { ok: number; failed: number }>>>>;
}

/** Makes the labelled namespace, applies the shop as anybody would, and waits until all of it is Ready. */
export async function deployShop(kubectl: Kubectl): Promise<void> {
  await kubectl.apply(
    JSON.stringify({
      apiVersion: 'v1',
      kind: 'Namespace',
      metadata: { name: SHOP, labels: { 'heddle.dev/injection': 'enabled' } },
    }),
  );
  await kubectl.run(['apply', '-n', SHOP, '-f', inTree('config/samples/shop/shop.yaml')]);
  for (const name of ['inventory', 'ordering', 'ui', 'load']) await rolledOut(kubectl, name);
}

export async function shopIsThere(kubectl: Kubectl): Promise<boolean> {
  return (await kubectl.try(['get', 'namespace', SHOP, '-o', 'name'])).code === 0;
}

/** Deletes what the demo made in the cluster, and waits until it is gone. */
export async function removeShop(kubectl: Kubectl): Promise<void> {
  await kubectl.run(['delete', 'namespace', SHOP, OUTSIDE, '--ignore-not-found']);
}

/** Waits for a Deployment of the shop. */
export async function rolledOut(kubectl: Kubectl, name: string): Promise<void> {
  await kubectl.run(['rollout', 'status', '-n', SHOP, `deployment/${name}`, '--timeout=180s'], { timeoutMs: 190_000 });
}

/** Reads the load generator's counts. */
export async function readCounts(kubectl: Kubectl): Promise<Counts> {
  const args = ['exec', '-n', SHOP, 'deploy/load', '-c', 'load', '--', 'node', '/app/main.ts', 'counts'];
  return JSON.parse(await kubectl.run(args)) as Counts;
}

/** Requests that came by each version of Ordering between two readings. */
export function orderingShares(before: Counts, after: Counts): Record<string, number> {
  const versions = after.services.ordering ?? {};
  const total = (counts: Counts, version: string): number => {
    const tally = counts.services.ordering?.[version];
    return (tally?.ok ?? 0) + (tally?.failed ?? 0);
  };
  return Object.fromEntries(Object.keys(versions).map((v) => [v, total(after, v) - total(before, v)]));
}

/** Waits until the load generator gets answers. */
export async function trafficFlows(kubectl: Kubectl): Promise<void> {
  const first = await readCounts(kubectl);
  await waitUntil('answers from the shop', async () => {
    const more = (await readCounts(kubectl)).ok - first.ok;
    return more > 20 ? undefined : `${more} so far`;
  });
}

/** Sends one GET from a pod without a sidecar to Ordering; gives what came of it. */
export async function callFromOutside(kubectl: Kubectl): Promise<KubectlResult> {
  await kubectl.apply(JSON.stringify({ apiVersion: 'v1', kind: 'Namespace', metadata: { name: OUTSIDE, labels: {} } }));
  await kubectl.apply(JSON.stringify(outsidePod()));
  await kubectl.run(['wait', '-n', OUTSIDE, 'pod/caller', '--for=condition=Ready', '--timeout=60s']);
  const script = `fetch('http://ordering.${SHOP}/orders').then(r => console.log(r.status), e => { console.log(e.cause?.code ?? e.message); process.exit(1); })`;
  return kubectl.try(['exec', '-n', OUTSIDE, 'caller', '--', 'node', '-e', script]);
}

function outsidePod(): object {
  return {
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: { name: 'caller', namespace: OUTSIDE },
    spec: {
      terminationGracePeriodSeconds: 0,
      containers: [
        {
          name: 'caller',
          image: 'heddle/shop:dev',
          imagePullPolicy: 'IfNotPresent',
          command: ['node', '-e', 'setInterval(() => {}, 1000)'],
        },
      ],
    },
  };
}
