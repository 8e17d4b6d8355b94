import { createServer, type Server } from 'node:http';
import { Agent, request } from 'node:https';

/** A backend that answers 200 with its name. */
export interface Backend {
  readonly port: number;
  close(): void;
}

export async function startBackend(name: string): Promise<Backend> {
  const server: Server = createServer((_request, response) => response.end(name));
  server.keepAliveTimeout = 60_000;
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const address = server.address();
  return {
    port: typeof address === 'object' && address !== null ? address.port : 0,
    close: () => {
      server.closeAllConnections();
      server.close();
    },
  };
}

/** What a load saw. */
export interface LoadResult {
  /** Answers with status 200, by body. */
  readonly served: ReadonlyMap<string, number>;
  readonly failures: readonly string[];
}

/** Sends requests over HTTPS from some workers in a closed loop until it is stopped. */
export function startLoad(port: number, rootPem: string, workers: number): { stop(): Promise<LoadResult> } {
  const agent = new Agent({ keepAlive: true, ca: rootPem, servername: 'localhost', maxSockets: workers });
  const served = new Map<string, number>();
  const failures: string[] = [];
  let running = true;
  const work = async (): Promise<void> => {
    while (running) {
      try {
        const { status, body } = await get(port, agent);
        if (status === 200) {
          served.set(body, (served.get(body) ?? 0) + 1);
        } else {
          failures.push(`${status} ${body}`);
        }
      } catch (error) {
        failures.push(String(error));
      }
    }
  };
  const done = Promise.all(Array.from({ length: workers }, work));
  return {
    stop: async () => {
      running = false;
      await done;
      agent.destroy();
      return { served, failures };
    },
  };
}

/** One request over HTTPS to loopback. */
export function get(port: number, agent: Agent): Promise<{ status: number; body: string }> {
  return new Promise((resolve, reject) => {
    const call = request({ host: '127.0.0.1', port, path: '/', agent }, (response) => {
      let body = '';
      response.on('data', (text: Buffer) => {
        body += text.toString();
      });
      response.on('end', () => resolve({ status: response.statusCode ?? 0, body }));
    });
    call.on('error', reject);
    call.end();
  });
}
