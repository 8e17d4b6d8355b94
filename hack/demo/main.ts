import { Command } from 'commander';
import { paint } from '../../cli/terminal/colour.ts';
import { clusterDown, clusterUp } from '../cluster/cluster.ts';
import { PrerequisiteError } from '../cluster/prerequisites.ts';
import { HEDDLE_IMAGE, IMAGES, OTEL_COLLECTOR_IMAGE, PROMETHEUS_IMAGE } from '../images/catalog.ts';
import { loadImages } from '../images/load.ts';
import { installHeddle } from '../mesh/install.ts';
import { Kubectl } from '../mesh/kubectl.ts';
import { removeShop, shopIsThere } from './shop.ts';
import { heading, step } from './step.ts';
import { tellStory } from './story.ts';

const HELP = `
Shows the main job of Heddle: a shop in a labelled namespace, mutual TLS on every hop, a good release of Ordering that goes
5, 50, 100 % on its own error rate, and a bad one that is stopped at 5 %.

  npm run demo                        on a local cluster that it makes itself (Linux, root, Go; the first time takes minutes)
  npm run demo -- --context NAME      on a cluster of yours; it needs the images first:
                                        docker build -t heddle/heddle:dev --target heddle .
                                        docker build -t heddle/shop:dev --target shop .
                                      and whatever your cluster takes to load them (kind load, minikube image load, a push)
  npm run demo -- --down              removes the local cluster; with --context the shop alone, Heddle stays

Exit codes: 0 all went as told, 1 something did not, 4 this machine lacks something.`;

interface Options {
  readonly down?: boolean;
  readonly context?: string;
}

/** What tests alone need is not fetched for a demo. */
const OF_TESTS: readonly string[] = [PROMETHEUS_IMAGE, OTEL_COLLECTOR_IMAGE];
const SHOWN = Object.keys(IMAGES).filter((name) => !OF_TESTS.includes(name));

interface Connection {
  readonly kubectl: Kubectl;
  /** Heddle's image was not in the cluster before. */
  readonly newImage: boolean;
}

async function connect({ context }: Options): Promise<Connection> {
  if (context !== undefined) return { kubectl: new Kubectl({ context }), newImage: false };
  const access = await step('A Kubernetes node on this machine', async (note) => clusterUp({ report: note }));
  const images = await step('Images, made without a daemon', async () => loadImages(SHOWN));
  const kubectl = new Kubectl({ program: access.kubectl, kubeconfig: access.kubeconfig });
  return { kubectl, newImage: images.some(({ name, imported }) => imported && name === HEDDLE_IMAGE) };
}

async function remove({ context }: Options): Promise<void> {
  if (context === undefined) {
    await step('Removing the local cluster', async (note) => clusterDown({ report: note }));
    return;
  }
  const kubectl = new Kubectl({ context });
  await step('Removing the shop', () => removeShop(kubectl));
}

async function run(options: Options): Promise<void> {
  if (options.down === true) return remove(options);
  heading('Setting up');
  const { kubectl, newImage } = await connect(options);
  await step('Heddle: kubectl apply -k manifests/base', () => installHeddle(kubectl, newImage));
  if (await shopIsThere(kubectl)) await step('Removing the shop of an earlier run', () => removeShop(kubectl));
  await tellStory(kubectl);
}

function fail(error: unknown): void {
  const message = error instanceof Error ? error.message : String(error);
  process.stderr.write(`${paint('red', 'The demo stopped:', process.stderr)} ${message}\n`);
  if (error instanceof PrerequisiteError) {
    process.exitCode = 4;
    return;
  }
  process.stderr.write('Look closer: kubectl get pods -A; kubectl logs -n heddle-system deploy/heddle-operator\n');
  process.exitCode = 1;
}

await new Command('npm run demo --')
  .description('Heddle in three minutes')
  .option('--down', 'remove the local cluster, or with --context the shop')
  .option('--context <name>', 'a cluster of your kubeconfig instead of the local one')
  .addHelpText('after', HELP)
  .action((options: Options) => run(options).catch(fail))
  .parseAsync();
