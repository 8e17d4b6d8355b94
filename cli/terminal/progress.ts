import { paint } from './colour.ts';
import { draw, harmless } from './guard.ts';

/** Where progress is drawn: `process.stderr`, or a stand-in. */
export type ProgressStream = {
  readonly isTTY?: boolean;
  readonly columns?: number;
  write(text: string): unknown;
};

export type ProgressBar = {
  /** Shows how much is done (0 to 1) and what is being done now. */
  update(fraction: number, note: string): void;
  /** Ends the bar and leaves one line in its place. */
  finish(note: string): void;
};

const QUIET_INTERVAL_MS = 5_000;
const REDRAW_INTERVAL_MS = 100;
const BAR_WIDTH = 28;

/** `####----` for a fraction from 0 to 1; values outside are taken as the nearest end. */
export function formatBar(fraction: number, width: number = BAR_WIDTH): string {
  const filled = Math.round(Math.max(0, Math.min(1, fraction)) * width);
  return '█'.repeat(filled) + '░'.repeat(width - filled);
}

/**
 * A progress bar: one live line on a terminal, and anywhere else (a log, a pipe) a plain line at the start, every five seconds
 * and at the end.
 */
export function startProgress(title: string, stream: ProgressStream = process.stderr): ProgressBar {
  return stream.isTTY === true ? liveBar(title, stream) : quietLines(title, stream);
}

function liveBar(title: string, stream: ProgressStream): ProgressBar {
  let drawnAt = 0;
  const clear = '\r\u001b[2K';
  return {
    update(fraction, note) {
      const now = Date.now();
      if (now - drawnAt < REDRAW_INTERVAL_MS) return;
      drawnAt = now;
      const percent = `${Math.floor(fraction * 100)}`.padStart(3);
      const lead = `${title}  ${formatBar(fraction)} ${percent}%  `;
      const room = Math.max(0, (stream.columns ?? 80) - lead.length - 1);
      draw(stream, clear + lead + paint('dim', [...harmless(note)].slice(0, room).join(''), stream));
    },
    finish(note) {
      draw(stream, `${clear}${title}  ${harmless(note)}\n`);
    },
  };
}

function quietLines(title: string, stream: ProgressStream): ProgressBar {
  let writtenAt = 0;
  return {
    update(fraction, note) {
      const now = Date.now();
      if (now - writtenAt < QUIET_INTERVAL_MS) return;
      writtenAt = now;
      stream.write(`${title}: ${Math.floor(fraction * 100)}% ${note}\n`);
    },
    finish(note) {
      stream.write(`${title}: ${note}\n`);
    },
  };
}
