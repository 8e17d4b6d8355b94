import { Command, CommanderError } from 'commander';
import { paint } from '../../cli/terminal/colour.ts';
import { formatTable } from '../../cli/terminal/table.ts';
import { IMAGES } from './catalog.ts';
import { buildImages, loadImages } from './load.ts';

const HELP = `
Makes container images without Docker or any other daemon. Images, by default all of them:
${Object.keys(IMAGES)
  .map((name) => `  ${name}`)
  .join('\n')}

The archives work everywhere: docker load -i, kind load image-archive, ctr images import.`;

async function build(names: string[]): Promise<void> {
  const rows = (await buildImages(chosen(names))).map((image) => [image.name, image.id.slice(0, 12), image.archive]);
  process.stdout.write(`${formatTable(['image', 'id', 'archive'], rows)}\n`);
}

async function load(names: string[]): Promise<void> {
  const images = await loadImages(chosen(names));
  const rows = images.map((image) => [image.name, image.id.slice(0, 12), image.imported ? 'loaded' : 'unchanged']);
  process.stdout.write(`${formatTable(['image', 'id', 'cluster'], rows)}\n`);
}

function chosen(names: readonly string[]): readonly string[] | undefined {
  return names.length === 0 ? undefined : names;
}

const program = new Command('images')
  .exitOverride()
  .addHelpText('after', HELP)
  .showHelpAfterError('(--help says more)');
program.command('build').description('make images into the cache').argument('[names...]').action(build);
program
  .command('load')
  .description('make images and put changed ones into the local cluster')
  .argument('[names...]')
  .action(load);

try {
  await program.parseAsync();
} catch (error) {
  if (error instanceof CommanderError) {
    process.exitCode = error.exitCode === 0 ? 0 : 2;
  } else {
    process.stderr.write(
      `${paint('red', 'error:', process.stderr)} ${error instanceof Error ? error.message : String(error)}\n`,
    );
    process.exitCode = 1;
  }
}
