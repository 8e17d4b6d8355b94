/**
 * What several streams give, as it comes.
 * @throws what one of them throws, once the others have been told to end
 */
export async function* merge<T>(streams: readonly AsyncGenerator<T>[]): AsyncGenerator<T> {
  type Step = { readonly stream: AsyncGenerator<T>; readonly result: IteratorResult<T> };
  const step = async (stream: AsyncGenerator<T>): Promise<Step> => ({ stream, result: await stream.next() });
  const waiting = new Map(streams.map((stream) => [stream, step(stream)]));
  try {
    while (waiting.size > 0) {
      const { stream, result } = await Promise.race(waiting.values());
      if (result.done) {
        waiting.delete(stream);
        continue;
      }
      waiting.set(stream, step(stream));
      yield result.value;
    }
  } finally {
    // A stream that waits ends when its own signal says so; nobody is left to hear of its error.
    for (const one of waiting.values()) one.catch(() => undefined);
  }
}
