import { once } from 'node:events';
import { createServer, type IncomingHttpHeaders, type Server } from 'node:http';

/**
 * An application that answers every request; those for `/held` when it is told to.
 * @param asked takes down the paths
 * @param got takes down the headers
 * @param held takes what answers those that are held back
 */
export async function startApplication(
  port: number,
  asked: string[],
  got: IncomingHttpHeaders[],
  held: (() => void)[] = [],
): Promise<Server> {
  const app = createServer((request, response) => {
    asked.push(request.url ?? '');
    got.push(request.headers);
    const answer = () => response.end(`you asked for ${request.url}`);
    request.resume().on('end', () => (request.url === '/held' ? held.push(answer) : answer()));
  });
  app.listen(port, '127.0.0.1');
  await once(app, 'listening');
  return app;
}
