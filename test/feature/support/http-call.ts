import { Agent, type IncomingHttpHeaders, type RequestOptions, request } from 'node:http';

export interface Answer {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  readonly body: string;
  /** From sending to the end of the answer. */
  readonly ms: number;
}

/** One request. @throws {Error} when there is no answer */
export function call(options: RequestOptions, body?: Buffer): Promise<Answer> {
  const start = performance.now();
  return new Promise((resolve, reject) => {
    const sent = request({ host: '127.0.0.1', ...options }, (response) => {
      let text = '';
      response.on('data', (data: Buffer) => {
        text += data.toString();
      });
      response.on('error', reject);
      response.on('end', () => {
        const { statusCode: status = 0, headers } = response;
        resolve({ status, headers, body: text, ms: performance.now() - start });
      });
    });
    sent.on('error', reject);
    sent.end(body);
  });
}

/** Many requests, sixteen at a time over connections that are kept. */
export async function callMany(count: number, options: RequestOptions): Promise<Answer[]> {
  const workers = 16;
  const agent = new Agent({ keepAlive: true, maxSockets: workers });
  const answers: Answer[] = [];
  let left = count;
  const work = async (): Promise<void> => {
    while (left > 0) {
      left -= 1;
      answers.push(await call({ ...options, agent }));
    }
  };
  await Promise.all(Array.from({ length: workers }, work));
  agent.destroy();
  return answers;
}
