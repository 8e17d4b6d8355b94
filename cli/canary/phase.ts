import { paint, type Style } from '../terminal/colour.ts';

const STYLES: Readonly<Record<string, Style>> = {
  Initialized: 'green',
  Succeeded: 'green',
  Progressing: 'cyan',
  Promoting: 'cyan',
  Waiting: 'yellow',
  Failed: 'red',
};

/** A phase in its colour. */
export function paintPhase(phase: string): string {
  const style = STYLES[phase];
  return style === undefined ? phase : paint(style, phase);
}
