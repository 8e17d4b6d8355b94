import type { Http1Line } from './mesh-callers.ts';

const REQUEST = 'GET / HTTP/1.1\r\nhost: shop.example\r\n\r\n';

/** What became of a load. */
export interface Offered {
  readonly served: number;
  readonly refused: number;
  /** Answers that are neither, by status. */
  readonly others: readonly (number | undefined)[];
  readonly seconds: number;
}

/** Sends requests by some lines, on each one after the other as fast as they are answered, for so long. */
export async function offer(lines: readonly Http1Line[], seconds: number, request = REQUEST): Promise<Offered> {
  let [served, refused] = [0, 0];
  const others: (number | undefined)[] = [];
  const start = performance.now();
  const work = async (line: Http1Line): Promise<void> => {
    while (performance.now() - start < seconds * 1000) {
      const { status } = await line.send(request);
      if (status === 200) served += 1;
      else if (status === 429) refused += 1;
      else others.push(status);
      if (status === undefined) return;
    }
  };
  await Promise.all(lines.map(work));
  for (const line of lines) line.close();
  return { served, refused, others, seconds: (performance.now() - start) / 1000 };
}
