import { Command } from 'commander';
import { convertCommand } from './convert-command.ts';
import { listCommand } from './list.ts';
import { statusCommand } from './status.ts';

/** `heddle canary ...`: everything about releases. */
export function canaryCommand(): Command {
  const command = new Command('canary').description('Looks at releases, and leads them.').alias('canaries');
  for (const build of [listCommand, statusCommand, convertCommand]) command.addCommand(build());
  return command;
}
