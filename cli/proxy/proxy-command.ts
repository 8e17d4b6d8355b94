import { Command } from 'commander';
import { configCommand } from './config-command.ts';
import { logLevelCommand } from './log-level.ts';
import { proxyStatusCommand } from './status-command.ts';

/** `heddle proxy ...`: a single sidecar. */
export function proxyCommand(): Command {
  return new Command('proxy')
    .alias('pc')
    .description('Looks into a sidecar.')
    .addCommand(configCommand())
    .addCommand(proxyStatusCommand())
    .addCommand(logLevelCommand());
}
