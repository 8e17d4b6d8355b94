import { readFile } from 'node:fs/promises';
import { text } from 'node:stream/consumers';
import { Command } from 'commander';
import { CliError } from '../cli-error.ts';
import { paint } from '../terminal/colour.ts';

/** `heddle canary convert`. */
export function convertCommand(): Command {
  return new Command('convert')
    .description(
      "Turns Flagger's objects into Heddle's: Canary, MetricTemplate, AlertProvider. Other documents stay as they are.",
    )
    .argument('<files...>', 'YAML files; - reads standard input')
    .addHelpText(
      'after',
      `
YAML goes to standard output, and what you should know of it to standard error.

  kubectl get canaries.flagger.app -A -o yaml | heddle canary convert - > canaries.yaml`,
    )
    .action(async (files: readonly string[]) => {
      const { convertFlagger } = await import('../convert/convert-flagger.ts');
      const parts: string[] = [];
      const notes: string[] = [];
      let converted = 0;
      for (const file of files) {
        const result = convertFlagger(await read(file));
        if (result.text !== '') parts.push(result.text);
        notes.push(...result.notes);
        converted += result.converted;
      }
      if (converted === 0) {
        throw new CliError(
          'there is no object of flagger.app in it',
          "give files with Flagger's Canary, MetricTemplate or AlertProvider",
          2,
        );
      }
      process.stdout.write(parts.join('---\n'));
      for (const note of notes) process.stderr.write(`${paint('yellow', 'note:', process.stderr)} ${note}\n`);
    });
}

async function read(file: string): Promise<string> {
  try {
    return file === '-' ? await text(process.stdin) : await readFile(file, 'utf8');
  } catch (error) {
    throw new CliError(`${file} can't be read: ${(error as Error).message}`, undefined, 2);
  }
}
