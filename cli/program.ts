import { Command } from 'commander';
import { canaryCommand } from './canary/canary-command.ts';
import { dashboardCommand } from './dashboard/dashboard-command.ts';
import { logsCommand } from './logs/logs-command.ts';
import { proxyCommand } from './proxy/proxy-command.ts';
import { statusCommand } from './status/status-command.ts';
import { tapCommand } from './tap/tap-command.ts';
import { topCommand } from './top/top-command.ts';

/** The commands of `heddle`; each new one is a file and a line here. */
const COMMANDS: readonly (() => Command)[] = [
  statusCommand,
  topCommand,
  tapCommand,
  logsCommand,
  proxyCommand,
  dashboardCommand,
  canaryCommand,
];

/** Builds the program; nothing is asked of a cluster before a command runs. */
export function buildProgram(): Command {
  const program = new Command('heddle')
    .description('Looks at Heddle and what it does in a cluster, and gives it orders.')
    .showHelpAfterError('(heddle --help shows all commands)')
    .showSuggestionAfterError()
    .exitOverride()
    .addHelpText(
      'after',
      `
Exit codes: 0 done, 1 no (failed, not found, not valid), 2 wrong use, 3 the cluster can't be asked.
Colours are for terminals only; NO_COLOR turns them off.`,
    );
  for (const build of COMMANDS) program.addCommand(inherit(build(), program));
  return program;
}

/** Subcommands end in the same way as the program. */
function inherit(command: Command, parent: Command): Command {
  command.copyInheritedSettings(parent);
  for (const child of command.commands) inherit(child, command);
  return command;
}
