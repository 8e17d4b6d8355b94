import { Command } from 'commander';
import { listCommand } from './list.ts';
import { rotateCommand } from './rotate.ts';
import { statusCommand } from './status.ts';

/** `heddle cert ...`: the mesh's certificates. */
export function certCommand(): Command {
  const command = new Command('cert')
    .description("Shows the mesh's certificates, and replaces its root.")
    .alias('certs');
  command.addCommand(listCommand());
  command.addCommand(rotateCommand());
  command.addCommand(statusCommand());
  return command;
}
