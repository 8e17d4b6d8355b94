import { existsSync } from 'node:fs';
import { Command, CommanderError, Option } from 'commander';
import { paint } from '../../cli/terminal/colour.ts';
import { formatTable } from '../../cli/terminal/table.ts';
import { clusterDown, clusterLoad, clusterStatus, clusterUp } from './cluster.ts';
import { CONTEXT_NAME, cacheDirectory, KUBERNETES_VERSION, stateDirectory, stateLayout } from './layout.ts';
import { PrerequisiteError } from './prerequisites.ts';
import { addSecondNode, removeSecondNode, secondNodeCondition } from './second-node.ts';

const EXIT_FAILURE = 1;
const EXIT_USAGE = 2;
const EXIT_NOT_RUNNING = 3;
const EXIT_PREREQUISITE = 4;

const HELP = `
A Kubernetes ${KUBERNETES_VERSION} of one node, or two, on this Linux machine, without Docker: real kubelet, containerd, Services and DNS.
The first "up" builds Kubernetes with Go, about 10 minutes on two cores; later ones take seconds. Debian packages that are
missing (containerd, runc, CNI plugins, nftables, iptables, conntrack) are installed with apt-get.

Use it:
  npm run cluster -- up
  export KUBECONFIG="$(npm run --silent cluster -- kubeconfig)"
  kubectl get pods -A

A second node, with a kubelet and a containerd of its own, in a network namespace, for whom one is not enough:
  npm run cluster -- up --nodes 2         ("load" again what you have loaded before)

Folders:
  ${stateDirectory()}  the running cluster; "down" deletes it (HEDDLE_STATE puts it elsewhere)
  ${cacheDirectory()}  binaries and images, kept (HEDDLE_CACHE puts it elsewhere)

Exit codes: 0 done, ${EXIT_FAILURE} failed, ${EXIT_USAGE} wrong usage, ${EXIT_NOT_RUNNING} the cluster is not running, ${EXIT_PREREQUISITE} this machine lacks something.
No root, no Linux, no Go? Everything else takes any cluster you have: npm run demo -- --context NAME`;

function report(line: string): void {
  process.stderr.write(`${paint('dim', '•', process.stderr)} ${line}\n`);
}

async function up({ nodes }: { readonly nodes?: '1' | '2' }): Promise<void> {
  const started = Date.now();
  const access = await clusterUp({ report });
  if (nodes === '2') await addSecondNode({ report });
  if (nodes === '1') await removeSecondNode({ report });
  const seconds = ((Date.now() - started) / 1000).toFixed(1);
  report(`${paint('green', 'Ready', process.stderr)} after ${seconds} s, context ${CONTEXT_NAME}`);
  report(`export KUBECONFIG=${access.kubeconfig}`);
  report(`kubectl of the same version: ${access.kubectl}`);
}

async function status(): Promise<void> {
  const now = await clusterStatus();
  process.stdout.write(`cluster: ${now.state}\nnode: ${now.node}\nsecond node: ${await secondNodeCondition()}\n`);
  if (now.components.length > 0) {
    const rows = now.components.map((each) => [each.name, String(each.pid), each.running ? 'running' : 'gone']);
    process.stdout.write(`${formatTable(['component', 'pid', 'state'], rows)}\n`);
  }
  if (now.state !== 'Running') process.exitCode = EXIT_NOT_RUNNING;
}

function kubeconfig(): void {
  const file = stateLayout().kubeconfig;
  if (existsSync(file)) {
    process.stdout.write(`${file}\n`);
    return;
  }
  process.stderr.write('The local cluster is not up: start it with `npm run cluster -- up`.\n');
  process.exitCode = EXIT_NOT_RUNNING;
}

function program(): Command {
  const command = new Command('cluster')
    .exitOverride()
    .addHelpText('after', HELP)
    .showHelpAfterError('(--help says more)');
  command
    .command('up')
    .description('start the cluster, or clean up after a killed one and start it')
    .addOption(new Option('--nodes <count>', 'add a second node, or take it away; else both stay').choices(['1', '2']))
    .action(up);
  command
    .command('down')
    .description('stop it and remove all it made')
    .action(() => clusterDown({ report }));
  command.command('status').description('say what runs; exit 3 when it is not running').action(status);
  command.command('kubeconfig').description('print the path of its kubeconfig').action(kubeconfig);
  command
    .command('load')
    .description('import image archives (docker save, OCI)')
    .argument('<archives...>')
    .action((archives: string[]) => clusterLoad(archives, report));
  return command;
}

try {
  await program().parseAsync();
} catch (error) {
  if (error instanceof CommanderError) {
    process.exitCode = error.exitCode === 0 ? 0 : EXIT_USAGE;
  } else {
    const message = error instanceof Error ? error.message : String(error);
    process.stderr.write(`${paint('red', 'error:', process.stderr)} ${message}\n`);
    process.exitCode = error instanceof PrerequisiteError ? EXIT_PREREQUISITE : EXIT_FAILURE;
  }
}
