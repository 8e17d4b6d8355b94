export type Style = 'bold' | 'dim' | 'red' | 'green' | 'yellow' | 'blue' | 'cyan';

const CODES: Record<Style, readonly [number, number]> = {
  bold: [1, 22],
  dim: [2, 22],
  red: [31, 39],
  green: [32, 39],
  yellow: [33, 39],
  blue: [34, 39],
  cyan: [36, 39],
};

/** Source of an expression for the sequences that `paint` writes. Others could hide text: as concealed, or in the colour of its background. */
export const PAINT = `\u001b\\[(?:${Object.values(CODES).flat().join('|')})m`;

/** The part of a terminal stream that decides whether colours may be written to it. */
export type ColourTarget = { readonly isTTY?: boolean };

/**
 * Whether escape sequences may be written to `stream`: only on a terminal, never when NO_COLOR is set (no-color.org)
 * or the terminal calls itself `dumb`.
 */
export function coloursAllowed(stream: ColourTarget, env: NodeJS.ProcessEnv = process.env): boolean {
  return stream.isTTY === true && (env.NO_COLOR ?? '') === '' && env.TERM !== 'dumb';
}

/** `text` in the given style where `stream` takes colours, else `text` as it is. */
export function paint(style: Style, text: string, stream: ColourTarget = process.stdout): string {
  if (!coloursAllowed(stream)) return text;
  const [on, off] = CODES[style];
  return `\u001b[${on}m${text}\u001b[${off}m`;
}

/** The columns `text` takes on the screen: escape sequences take none. */
export function visibleWidth(text: string): number {
  return [...text.replaceAll(ESCAPE_SEQUENCE, '')].length;
}

// A CSI sequence: ESC, an opening bracket, parameters, one final letter.
const ESCAPE_SEQUENCE = new RegExp(`${String.fromCharCode(27)}\\[[0-9;?]*[A-Za-z]`, 'g');
