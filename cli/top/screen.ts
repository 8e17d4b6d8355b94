import { visibleWidth } from '../terminal/colour.ts';
import { draw as drawOn, harmless } from '../terminal/guard.ts';

/** Part of a terminal stream that a live table needs. */
export interface ScreenStream {
  readonly columns?: number;
  readonly rows?: number;
  write(text: string): unknown;
}

/** Something that is drawn anew in place. */
export interface Screen {
  draw(lines: readonly string[]): void;
  /** Leaves the last picture where it is, and the cursor below it. */
  end(): void;
}

const ESC = '\u001b';

/** Draws over what was drawn before, on a terminal that may not know its size (it says 0 then); lines that do not fit are cut, so that they never take two. */
export function showOn(stream: ScreenStream): Screen {
  let drawn = 0;
  drawOn(stream, `${ESC}[?25l`);
  return {
    draw(lines) {
      const fitting = lines
        .slice(0, Math.max(1, (stream.rows || 50) - 1))
        .map((line) => cut(harmless(line), stream.columns || 120));
      const up = drawn > 0 ? `${ESC}[${drawn}A` : '';
      drawOn(stream, `${up}\r${fitting.map((line) => `${line}${ESC}[K\n`).join('')}${ESC}[J`);
      drawn = fitting.length;
    },
    end() {
      drawOn(stream, `${ESC}[?25h`);
    },
  };
}

/** The first `width` columns of a line that may hold colours, which are ended where it is cut. */
function cut(line: string, width: number): string {
  if (visibleWidth(line) <= width) return line;
  let [text, columns] = ['', 0];
  for (const part of line.split(SEQUENCE)) {
    if (part.startsWith(ESC)) text += part;
    else {
      const room = [...part].slice(0, width - columns);
      text += room.join('');
      columns += room.length;
    }
  }
  return `${text}${ESC}[0m`;
}

const SEQUENCE = new RegExp(`(${ESC}\\[[0-9;?]*[A-Za-z])`);
