/** One line of a page of Prometheus. */
export interface Series {
  readonly name: string;
  readonly labels: Readonly<Record<string, string>>;
  readonly value: number;
}

/** The series of a page. @throws {Error} for a line that is neither a series nor a comment: Prometheus would refuse all of it */
export function readPage(page: string): Series[] {
  const lines = page.split('\n').filter((line) => line.trim() !== '' && !line.trimStart().startsWith('#'));
  return lines.map((line) => {
    const [, name = '', text = '', value] =
      /^([a-zA-Z_:][\w:]*)(?:\{(.*)\})? (\S+)(?: -?\d+)?$/.exec(line.trim()) ?? [];
    if (Number.isNaN(Number(value)) && !/^(NaN|[-+]Inf)$/.test(value ?? ''))
      throw new Error(`no series: ${line.slice(0, 200)}`);
    const labels = [...text.matchAll(/(\w+)="((?:[^"\\]|\\.)*)",?/g)];
    if (labels.map(([pair]) => pair).join('') !== text) throw new Error(`no labels: ${line.slice(0, 200)}`);
    return { name, labels: Object.fromEntries(labels.map(([, key, said]) => [key, said])), value: Number(value) };
  });
}

/** The series of a name that have some labels. */
export function find(series: readonly Series[], name: string, labels: Readonly<Record<string, string>> = {}): Series[] {
  return series.filter(
    (one) => one.name === name && Object.entries(labels).every(([key, value]) => one.labels[key] === value),
  );
}

/** What these count in all. */
export function total(series: readonly Series[], name: string, labels: Readonly<Record<string, string>> = {}): number {
  return find(series, name, labels).reduce((sum, { value }) => sum + value, 0);
}
