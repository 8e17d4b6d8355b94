import { Command, InvalidArgumentError } from 'commander';
import { DASHBOARD_PORT } from '../../proxy/ports.ts';
import { type ClusterFlags, connect, withClusterOptions } from '../cluster-options.ts';
import { onInterrupt } from '../terminal/interrupt.ts';

interface DashboardFlags extends ClusterFlags {
  readonly port: number;
  readonly open: boolean;
}

/** `heddle dashboard`. */
export function dashboardCommand(): Command {
  const command = new Command('dashboard')
    .description(
      "Opens the operator's page: who calls whom, how it goes, and why not. It goes on when the operator restarts.",
    )
    .option('--port <number>', 'local port; 0 for any', readPort, DASHBOARD_PORT)
    .option('--no-open', 'only print the address');
  return withClusterOptions(command).action(async (flags: DashboardFlags) => {
    const cluster = await connect(flags);
    const [{ OperatorClient, openOperator }, { listenLocally }, { openBrowser }] = await Promise.all([
      import('../forward/operator-client.ts'),
      import('./local-port.ts'),
      import('./browser.ts'),
    ]);
    // Whoever can't be reached now is said so at once, and not by a browser.
    const client = new OperatorClient(cluster);
    try {
      await client.get('/api/control-plane');
    } finally {
      client.close();
    }
    let said = '';
    const failed = ({ message }: Error): void => {
      if (message !== said) process.stderr.write(`${message}; trying again with the next request\n`);
      said = message;
    };
    const local = await listenLocally(flags.port, () => openOperator(cluster), failed);
    const url = `http://localhost:${local.port}/`;
    console.log(url);
    process.stderr.write('Ctrl-C ends it.\n');
    if (flags.open) openBrowser(url);
    const signal = onInterrupt();
    await new Promise((resolve) => signal.addEventListener('abort', resolve, { once: true }));
    local.close();
    cluster.api.close();
  });
}

function readPort(text: string): number {
  const port = Number(text);
  if (!Number.isInteger(port) || port < 0 || port > 65_535) throw new InvalidArgumentError('It is no port.');
  return port;
}
