/** A load, and what came of it when it is stopped. */
export interface ClosedLoop {
  stop(): Promise<{ readonly served: number; readonly failures: readonly string[] }>;
}

/** Requests in a closed loop, from so many workers, until it is stopped. */
export function startClosedLoop(port: number, workers: number): ClosedLoop {
  const failures: string[] = [];
  let served = 0;
  let running = true;
  const work = async (): Promise<void> => {
    while (running) {
      const answer = await fetch(`http://127.0.0.1:${port}`).catch((error: unknown) => String(error));
      if (typeof answer === 'string') failures.push(answer);
      else if (answer.status === 200 && (await answer.text()) === 'app') served += 1;
      else failures.push(`${answer.status} ${await answer.text()}`);
    }
  };
  const done = Promise.all(Array.from({ length: workers }, work));
  return {
    stop: async () => {
      running = false;
      await done;
      return { served, failures };
    },
  };
}
