/** The key of a series: encoded labels, as Envoy sends them. Each name and value is shorter than 64 characters. */
export function encodeLabels(labels: Readonly<Record<string, string>>): string {
  const bytes: number[] = [];
  for (const [name, value] of Object.entries(labels)) {
    const pair = [10, name.length, ...Buffer.from(name), 18, value.length, ...Buffer.from(value)];
    bytes.push(10, pair.length, ...pair);
  }
  return Buffer.from(bytes).toString('latin1');
}
