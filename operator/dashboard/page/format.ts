/** Figures for people. What is not known comes as undefined or null and leaves as undefined: whoever shows it says "unknown", never zero. */
type Maybe = number | null | undefined;

function known(value: Maybe): value is number {
  return typeof value === 'number' && Number.isFinite(value);
}

/** Three significant digits below a thousand, then k, M, G: `0.25`, `12.3`, `4.1k`. */
export function count(value: Maybe): string | undefined {
  if (!known(value)) return undefined;
  const size = Math.abs(value);
  for (const [unit, suffix] of [
    [1e9, 'G'],
    [1e6, 'M'],
    [1e3, 'k'],
  ] as const) {
    if (size >= unit * 0.9995) return `${digits(value / unit)}${suffix}`;
  }
  return digits(value);
}

/** Events a second: `12.3/s`. */
export function rate(value: Maybe): string | undefined {
  const text = count(value);
  return text === undefined ? undefined : `${text}/s`;
}

/** A share of 1 as percent: `0.4%`. What is more than nothing is never shown as `0%`. */
export function percent(share: Maybe): string | undefined {
  if (!known(share)) return undefined;
  const value = share * 100;
  if (value > 0 && value < 0.1) return '<0.1%';
  if (value < 100 && value > 99.9) return '>99.9%';
  const places = value < 9.95 || value > 99 ? 1 : 0;
  return `${Number(value.toFixed(places))}%`;
}

/** A duration in ms as one figure: `0.8 ms`, `23 ms`, `1.2 s`, `3 min`. */
export function millis(value: Maybe): string | undefined {
  if (!known(value)) return undefined;
  if (value < 999.5) return `${digits(value)} ms`;
  if (value < 119_500) return `${digits(value / 1000)} s`;
  return `${digits(value / 60_000)} min`;
}

/** Bytes in powers of 1024: `3.4 MiB`. */
export function bytes(value: Maybe): string | undefined {
  if (!known(value)) return undefined;
  for (const [power, unit] of [
    [3, 'GiB'],
    [2, 'MiB'],
    [1, 'KiB'],
  ] as const) {
    if (Math.abs(value) >= 1024 ** power * 0.9995) return `${digits(value / 1024 ** power)} ${unit}`;
  }
  return `${digits(value)} B`;
}

/** How long, in the largest unit that fits: `8 s`, `5 min`, `3 h`, `12 d`. */
export function span(ms: Maybe): string | undefined {
  if (!known(ms)) return undefined;
  const seconds = Math.max(0, Math.round(ms / 1000));
  if (seconds < 100) return `${seconds} s`;
  if (seconds < 100 * 60) return `${Math.round(seconds / 60)} min`;
  if (seconds < 48 * 3600) return `${Math.round(seconds / 3600)} h`;
  return `${Math.round(seconds / 86_400)} d`;
}

/** The time of day of a moment, in the reader's zone. */
export function clock(ms: Maybe): string | undefined {
  if (!known(ms)) return undefined;
  return new Date(ms).toLocaleTimeString('en-GB', { hour: '2-digit', minute: '2-digit', second: '2-digit' });
}

/** `1 service`, `3 services`. */
export function plural(number: number, one: string, many = `${one}s`): string {
  return `${count(number) ?? number} ${number === 1 ? one : many}`;
}

function digits(value: number): string {
  const size = Math.abs(value);
  const places = size >= 100 || size === 0 ? 0 : size >= 10 ? 1 : 2;
  return String(Number(value.toFixed(places)));
}
