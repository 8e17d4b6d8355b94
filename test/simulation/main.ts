/** `npm run simulate`: lives through random schedules of releases and faults with a fake clock, and looks for what must never be. */
import { Command, InvalidArgumentError } from 'commander';
import { startProgress } from '../../cli/terminal/progress.ts';
import { SimulationError, simulate } from './simulate.ts';

/** Stories of schedules that went wrong are told in full for so many. */
const MOST_STORIES = 3;
/** The progress bar is drawn again after so many schedules. */
const SHOW_EVERY = 50;

interface Options {
  readonly schedules: number;
  readonly seed: number;
}

function wholeNumber(text: string): number {
  const number = Number(text);
  if (!Number.isSafeInteger(number) || number < 1) throw new InvalidArgumentError('must be a whole number from 1 on');
  return number;
}

const program = new Command('simulate')
  .description(
    'Has canaries live through random releases and faults: metrics that lie, operators that die at any write, two leaders, clocks that jump, templates and sizes that change; exits with 1 when a bad revision is released, or a Canary stands still or does not say why.',
  )
  .option('--schedules <number>', 'how many', wholeNumber, 10_000)
  .option('--seed <number>', 'seed of the first; each next one has the next', wholeNumber, 1)
  .action(({ schedules, seed }: Options) => {
    const progress = startProgress('Schedules');
    const wrong: SimulationError[] = [];
    let promotions = 0;
    let failures = 0;
    for (let i = 0; i < schedules; i++) {
      if (i % SHOW_EVERY === 0) progress.update(i / schedules, `${i} of ${schedules}, ${wrong.length} wrong`);
      try {
        const outcome = simulate(seed + i);
        promotions += outcome.promotions;
        failures += outcome.failures;
      } catch (error) {
        if (!(error instanceof SimulationError)) throw error;
        wrong.push(error);
      }
    }
    progress.finish(`${schedules} schedules: ${promotions} promotions, ${failures} given up, ${wrong.length} wrong`);
    for (const { message, story } of wrong.slice(0, MOST_STORIES)) console.log(`${story.join('\n')}\n${message}\n`);
    for (const { message } of wrong.slice(MOST_STORIES)) console.log(message);
    process.exitCode = wrong.length > 0 ? 1 : 0;
  });

await program.parseAsync();
