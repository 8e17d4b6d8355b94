/**
 * The names most like one that was mistyped: those that contain it or are contained in it, and those that few keystrokes turn into it.
 * @returns at most `count`, the most alike first
 */
export function nearest(wanted: string, names: Iterable<string>, count = 3): string[] {
  const text = wanted.toLowerCase();
  return [...new Set(names)]
    .map((name) => ({ name, distance: distanceTo(text, name.toLowerCase()) }))
    .filter(({ name, distance }) => distance <= Math.max(2, Math.min(text.length, name.length) / 3))
    .sort((a, b) => a.distance - b.distance || a.name.localeCompare(b.name))
    .slice(0, count)
    .map(({ name }) => name);
}

function distanceTo(wanted: string, name: string): number {
  if (wanted !== '' && (name.startsWith(wanted) || wanted.startsWith(name))) return 0.5;
  if (wanted.length > 2 && name.includes(wanted)) return 1;
  return keystrokes(wanted, name);
}

/** Levenshtein's distance. */
function keystrokes(a: string, b: string): number {
  let previous = Array.from({ length: b.length + 1 }, (_, column) => column);
  for (let row = 1; row <= a.length; row++) {
    const line = [row];
    for (let column = 1; column <= b.length; column++) {
      const change = (previous[column - 1] ?? 0) + (a[row - 1] === b[column - 1] ? 0 : 1);
      line.push(Math.min(change, (previous[column] ?? 0) + 1, (line[column - 1] ?? 0) + 1));
    }
    previous = line;
  }
  return previous[b.length] ?? 0;
}
