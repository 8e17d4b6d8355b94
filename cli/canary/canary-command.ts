import { Command } from 'commander';
import { COMMANDS } from '../../api/canary-command.ts';
import { convertCommand } from './convert-command.ts';
import { historyCommand } from './history.ts';
import { listCommand } from './list.ts';
import { orderCommand } from './order-command.ts';
import { replayCommand } from './replay-command.ts';
import { statusCommand } from './status.ts';

/** `heddle canary ...`: everything about releases. */
export function canaryCommand(): Command {
  const command = new Command('canary').description('Looks at releases, and leads them.').alias('canaries');
  command.addCommand(listCommand());
  command.addCommand(statusCommand());
  command.addCommand(historyCommand());
  for (const order of COMMANDS) command.addCommand(orderCommand(order));
  command.addCommand(replayCommand());
  command.addCommand(convertCommand());
  return command;
}
