import { Command } from 'commander';
import { analyzeCommand } from './analyze/analyze-command.ts';
import { canaryCommand } from './canary/canary-command.ts';
import { certCommand } from './cert/cert-command.ts';
import { checkCommand } from './check/check-command.ts';
import { completeCommand, completionCommand } from './completion/completion-command.ts';
import { dashboardCommand } from './dashboard/dashboard-command.ts';
import { describeCommand } from './describe/describe-command.ts';
import { explainCommand } from './explain/explain-command.ts';
import { injectCommand, uninjectCommand } from './inject/inject-command.ts';
import { installCommand } from './install/install-command.ts';
import { uninstallCommand } from './install/uninstall-command.ts';
import { upgradeCommand } from './install/upgrade-command.ts';
import { logsCommand } from './logs/logs-command.ts';
import { proxyCommand } from './proxy/proxy-command.ts';
import { statusCommand } from './status/status-command.ts';
import { tapCommand } from './tap/tap-command.ts';
import { topCommand } from './top/top-command.ts';
import { versionCommand } from './version/version-command.ts';

/** The commands of `heddle`, in the order in which people come to need them; each new one is a file and a line here. */
const COMMANDS: readonly (() => Command)[] = [
  checkCommand,
  installCommand,
  upgradeCommand,
  uninstallCommand,
  statusCommand,
  topCommand,
  tapCommand,
  logsCommand,
  dashboardCommand,
  proxyCommand,
  explainCommand,
  describeCommand,
  analyzeCommand,
  canaryCommand,
  certCommand,
  injectCommand,
  uninjectCommand,
  completionCommand,
  versionCommand,
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
  program.addCommand(inherit(completeCommand(), program), { hidden: true });
  return program;
}

/** Subcommands end in the same way as the program, and name their own help. @param path words that lead to the parent */
function inherit(command: Command, parent: Command, path = parent.name()): Command {
  const own = `${path} ${command.name()}`;
  command.copyInheritedSettings(parent).showHelpAfterError(`(${own} --help shows how it is used)`);
  for (const child of command.commands) inherit(child, command, own);
  return command;
}
