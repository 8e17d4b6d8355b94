import { paint } from '../../cli/terminal/colour.ts';
import { inTree } from '../mesh/install.ts';
import type { Kubectl } from '../mesh/kubectl.ts';
import { waitUntil } from '../mesh/wait.ts';
import { release, sharesText, waitForPhase } from './release.ts';
import { type Counts, callFromOutside, deployShop, orderingShares, readCounts, SHOP, trafficFlows } from './shop.ts';
import { heading, say, step } from './step.ts';

const RELEASE_TIMEOUT_MS = 240_000;

/** Tells the whole story on a cluster that has Heddle. @throws {Error} at the first thing that is not as told */
export async function tellStory(kubectl: Kubectl): Promise<void> {
  await openShop(kubectl);
  await lockDown(kubectl);
  const start = await readCounts(kubectl);
  await goodRelease(kubectl);
  const middle = await readCounts(kubectl);
  const lostGood = middle.failed - start.failed;
  await badRelease(kubectl);
  await summary(kubectl, lostGood);
}

async function openShop(kubectl: Kubectl): Promise<void> {
  heading('1. A shop in a labelled namespace: UI → Ordering → Inventory');
  await step('kubectl apply -n shop -f config/samples/shop/shop.yaml', () => deployShop(kubectl));
  await step('Customers come: GETs and POSTs', () => trafficFlows(kubectl));
}

async function lockDown(kubectl: Kubectl): Promise<void> {
  heading('2. Every hop is mutual TLS, and now nothing else is let in');
  await step('kubectl apply -f config/samples/shop/peer-authentication.yaml', async () => {
    await kubectl.run(['apply', '-n', SHOP, '-f', inTree('config/samples/shop/peer-authentication.yaml')]);
    await kubectl.run(
      ['wait', '-n', SHOP, 'peerauthentication/default', '--for=condition=Programmed', '--timeout=60s'],
      { timeoutMs: 70_000 },
    );
  });
  const outside = await step('A pod outside the mesh calls Ordering in plain text', () => callFromOutside(kubectl));
  if (outside.code === 0) throw new Error(`plain text was let in under STRICT: ${outside.stdout}`);
  say(`refused: ${outside.stdout.trim().split('\n').at(-1) ?? ''}`);
  for (const name of ['ui', 'ordering', 'inventory']) {
    const handshakes = await tlsHandshakes(kubectl, name);
    if (handshakes === 0) throw new Error(`the Envoy of ${name} has seen no TLS handshake`);
    say(`TLS handshakes with callers at ${name}: ${handshakes}`);
  }
}

/** Sum of Envoy's `ssl.handshake` counters at the listeners of one pod of a Deployment. */
async function tlsHandshakes(kubectl: Kubectl, name: string): Promise<number> {
  const script =
    "fetch('http://127.0.0.1:15090/stats/prometheus').then(r => r.text()).then(t => console.log(t.split('\\n').filter(l => /^envoy_listener_.*ssl_handshake/.test(l)).map(l => Number(l.split(' ').at(-1))).reduce((a, b) => a + b, 0)))";
  const args = ['exec', '-n', SHOP, `deploy/${name}`, '-c', name, '--', 'node', '-e', script];
  return Number(await kubectl.run(args));
}

async function goodRelease(kubectl: Kubectl): Promise<void> {
  heading('3. A good release of Ordering, v2');
  await step('kubectl apply -f config/samples/shop/canary.yaml', async () => {
    await kubectl.run(['apply', '-n', SHOP, '-f', inTree('config/samples/shop/canary.yaml')]);
    await waitForPhase(kubectl, ['Initialized'], 60_000);
  });
  say(paint('dim', 'kubectl set env deployment/ordering VERSION=v2'));
  const end = await release(kubectl, ['VERSION=v2'], RELEASE_TIMEOUT_MS);
  if (end.phase !== 'Succeeded') throw new Error(`the good release ended ${end.phase}`);
  const missed = [5, 50].filter((weight) => !end.weights.includes(weight));
  if (missed.length > 0) throw new Error(`the good release was never at ${missed.join(' and ')} %`);
}

async function badRelease(kubectl: Kubectl): Promise<void> {
  heading('4. A bad release, v3: three in ten requests fail');
  say(paint('dim', 'kubectl set env deployment/ordering VERSION=v3 ERROR_RATE=0.3'));
  const end = await release(kubectl, ['VERSION=v3', 'ERROR_RATE=0.3'], RELEASE_TIMEOUT_MS);
  if (end.phase !== 'Failed') throw new Error(`the bad release ended ${end.phase}`);
  const highest = Math.max(...end.weights);
  if (highest !== 5) throw new Error(`the bad release got ${highest} % of the requests, not 5`);
  const rollout = await kubectl.try(['rollout', 'status', '-n', SHOP, 'deployment/ordering', '--timeout=30s']);
  if (rollout.code === 0) throw new Error('kubectl rollout status says that the bad release is out');
  say(`kubectl rollout status: exit ${rollout.code}, ${rollout.stderr.trim()}`);
  await step('Ten seconds after the verdict', async () => {
    const before = await settled(kubectl);
    await new Promise((resolve) => setTimeout(resolve, 10_000));
    const after = await readCounts(kubectl);
    const shares = orderingShares(before, after);
    if ((shares.v3 ?? 0) > 0) throw new Error(`v3 still got ${shares.v3} requests`);
    if (after.failed > before.failed) throw new Error(`${after.failed - before.failed} requests were lost`);
    return { requests: after.ok - before.ok, shares };
  }).then(({ requests, shares }) => say(`${requests} requests, none lost; customers saw ${sharesText(shares)}`));
}

/** Counts once nothing sent before the verdict is under way any more (one second at most). */
async function settled(kubectl: Kubectl): Promise<Counts> {
  await new Promise((resolve) => setTimeout(resolve, 1000));
  return readCounts(kubectl);
}

async function summary(kubectl: Kubectl, lostGood: number): Promise<void> {
  heading('The end of it');
  const hasFailed = async (): Promise<string | undefined> => {
    const row = await kubectl.run(['get', 'canary', '-n', SHOP, 'ordering', '--no-headers']);
    return row.includes('Failed') ? undefined : row.trim();
  };
  await waitUntil('the status of the Canary', hasFailed, { timeoutMs: 10_000 });
  const table = await kubectl.run(['get', 'canary,peerauthentication', '-n', SHOP]);
  process.stdout.write(`\n$ kubectl get canary,peerauthentication -n ${SHOP}\n${table}\n`);
  say(`Requests lost in the good release: ${lostGood}`);
  if (lostGood > 0) throw new Error(`${lostGood} requests failed in the good release`);
  heading('Try next');
  const hints = [
    ['kubectl describe canary -n shop ordering', 'the story with its events'],
    ['kubectl set env -n shop deploy/ordering VERSION=v4 ERROR_RATE=0', 'a repaired release'],
    ['kubectl get canary -n shop -w', 'watch it'],
    ['kubectl logs -n shop deploy/ordering -c istio-proxy', "Envoy's log"],
    ['npm run demo -- --down', 'remove it all'],
  ] as const;
  for (const [command, what] of hints) say(`${command.padEnd(66)} ${paint('dim', what)}`);
  say(kubectl.commandLine([]).trim() === 'kubectl' ? '' : `(kubectl here: ${kubectl.commandLine([])})`);
}
