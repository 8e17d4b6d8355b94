import { Command } from 'commander';
import { clusterDown, clusterUp } from '../cluster/cluster.ts';
import { PrerequisiteError } from '../cluster/prerequisites.ts';
import { loadImages } from '../images/load.ts';
import { installHeddle } from '../mesh/install.ts';
import { Kubectl } from '../mesh/kubectl.ts';
import { paint } from '../terminal/colour.ts';
import { OUTSIDE, SHOP } from './shop.ts';
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
  npm run demo -- --down              removes what the demo made

Exit codes: 0 all went as told, 1 something did not, 4 this machine lacks something.`;

interface Options {
  readonly down?: boolean;
  readonly context?: string;
}

async function connect({ context }: Options): Promise<Kubectl> {
  if (context !== undefined) return new Kubectl({ context });
  const access = await step('A Kubernetes node on this machine', async (note) => clusterUp({ report: note }));
  await step('Images, made without a daemon', async () => loadImages());
  return new Kubectl({ program: access.kubectl, kubeconfig: access.kubeconfig });
}

async function remove({ context }: Options): Promise<void> {
  if (context === undefined) {
    await step('Removing the local cluster', async (note) => clusterDown({ report: note }));
    return;
  }
  const kubectl = new Kubectl({ context });
  await step('Removing the shop', () => kubectl.run(['delete', 'namespace', SHOP, OUTSIDE, '--ignore-not-found']));
}

async function run(options: Options): Promise<void> {
  if (options.down === true) return remove(options);
  heading('Setting up');
  const kubectl = await connect(options);
  await step('Heddle: kubectl apply -k manifests/base', () => installHeddle(kubectl));
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
  .option('--down', 'remove what the demo made')
  .option('--context <name>', 'a cluster of your kubeconfig instead of the local one')
  .addHelpText('after', HELP)
  .action((options: Options) => run(options).catch(fail))
  .parseAsync();
