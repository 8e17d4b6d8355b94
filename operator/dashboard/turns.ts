/** So long, in ms, what may be asked of a large mesh keeps the event loop at once. */
const TURN_MS = 5;

/** Takes each item; whenever that has taken a while, all others get their turn. */
export async function eachInTurns<T>(items: Iterable<T>, take: (item: T) => void): Promise<void> {
  let until = performance.now() + TURN_MS;
  for (const item of items) {
    take(item);
    if (performance.now() < until) continue;
    await new Promise((resolve) => setImmediate(resolve));
    until = performance.now() + TURN_MS;
  }
}

/** The JSON of an answer, in the same way: what is large in it are lists. */
export async function encodeInTurns(answer: object): Promise<string> {
  const members: string[] = [];
  for (const [name, value] of Object.entries(answer)) {
    if (value === undefined) continue;
    const json = Array.isArray(value) ? await encodeList(value) : JSON.stringify(value);
    members.push(`${JSON.stringify(name)}:${json}`);
  }
  return `{${members.join(',')}}`;
}

async function encodeList(items: readonly unknown[]): Promise<string> {
  const encoded: string[] = [];
  await eachInTurns(items, (item) => encoded.push(JSON.stringify(item)));
  return `[${encoded.join(',')}]`;
}
