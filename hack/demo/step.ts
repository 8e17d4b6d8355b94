import { paint } from '../../cli/terminal/colour.ts';
import { formatSeconds } from '../../cli/terminal/estimate.ts';

const REDRAW_MS = 200;
const QUIET_MS = 10_000;

/** Says what is being done now, in place of what was said before. */
export type Note = (text: string) => void;

/**
 * Runs one step of the demo under a title: a live line with the time on a terminal, plain lines elsewhere, and one line with
 * the time it took when it is done.
 * @throws whatever the step throws, after saying which step it was
 */
export async function step<T>(title: string, work: (note: Note) => Promise<T>): Promise<T> {
  const out = process.stdout;
  const live = out.isTTY === true;
  const began = performance.now();
  const elapsed = (): string => formatSeconds((performance.now() - began) / 1000);
  let latest = '';
  const draw = (): void => {
    if (live) out.write(`\r\u001b[2K${paint('cyan', '…')} ${title} ${paint('dim', `${elapsed()}  ${latest}`)}`);
    else out.write(`  … ${title}: ${elapsed()} ${latest}\n`);
  };
  const timer = setInterval(draw, live ? REDRAW_MS : QUIET_MS);
  const clear = (): void => {
    clearInterval(timer);
    if (live) out.write('\r\u001b[2K');
  };
  try {
    const result = await work((text) => {
      latest = text;
      if (live) draw();
    });
    clear();
    out.write(`${paint('green', '✓')} ${title} ${paint('dim', `(${elapsed()})`)}\n`);
    return result;
  } catch (error) {
    clear();
    out.write(`${paint('red', '✗')} ${title} ${paint('dim', `(after ${elapsed()})`)}\n`);
    throw error;
  }
}

/** A heading between the parts of the story. */
export function heading(text: string): void {
  process.stdout.write(`\n${paint('bold', text)}\n`);
}

/** A line of the story, indented under its heading. */
export function say(text: string): void {
  process.stdout.write(`  ${text}\n`);
}
