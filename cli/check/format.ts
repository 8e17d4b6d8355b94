import { paint } from '../terminal/colour.ts';
import type { Finding, Level } from './check.ts';
import type { CheckResult } from './run-checks.ts';

const MARKS = { ok: ['green', '✓'], warning: ['yellow', '!'], failed: ['red', '✗'], skipped: ['dim', '-'] } as const;

/** A finding in one line, and its next step in another. @param stream where it is written */
export function formatFinding({ level, message, next }: Finding, stream: NodeJS.WriteStream = process.stdout): string {
  const [style, mark] = MARKS[level];
  const line = `${paint(style, mark, stream)} ${message}`;
  return next === undefined ? line : `${line}\n  ${paint('dim', 'next:', stream)} ${next}`;
}

/** All findings below their categories, and a sentence on the whole. @param isWide says with each which check has found it */
export function formatResults(results: readonly CheckResult[], isWide = false): string {
  const telling = results.filter(({ findings }) => findings.length > 0);
  const categories = [...new Set(telling.map(({ category }) => category))];
  const blocks = categories.map((name) => {
    const own = results.filter(({ category }) => category === name);
    const lines = own.flatMap(({ title, findings }) => {
      const foundBy = isWide ? `\n  ${paint('dim', 'check:')} ${title}` : '';
      return findings.map((finding) => `${formatFinding(finding)}${foundBy}`);
    });
    return [paint('bold', name), ...lines].join('\n');
  });
  return [...blocks, summary(results)].join('\n\n');
}

function summary(results: readonly CheckResult[]): string {
  const levels = results.flatMap(({ findings }) => findings.map(({ level }) => level));
  const count = (wanted: Level) => levels.filter((level) => level === wanted).length;
  const [failures, warnings, unknown] = [count('failed'), count('warning'), count('skipped')];
  const also = [...(warnings ? [`${warnings} to look at`] : []), ...(unknown ? [`${unknown} not known`] : [])];
  const rest = also.length === 0 ? '' : `, ${also.join(', ')}`;
  return failures === 0
    ? `${paint('green', 'Nothing is wrong')}${rest}.`
    : `${paint('red', `${failures} of ${levels.length} are wrong`)}${rest}.`;
}

/** For programs. */
export function resultsAsJson(results: readonly CheckResult[]): object {
  const findings = results.flatMap(({ category, title, findings: found }) =>
    found.map((finding) => ({ category, check: title, ...finding })),
  );
  return { success: findings.every(({ level }) => level !== 'failed'), findings };
}
