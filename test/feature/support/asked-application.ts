import { once } from 'node:events';
import { createServer, type IncomingHttpHeaders, type Server } from 'node:http';

/**
 * An application that answers every request.
 * @param asked takes down the paths
 * @param got takes down the headers
 */
export async function startApplication(port: number, asked: string[], got: IncomingHttpHeaders[]): Promise<Server> {
  const app = createServer((request, response) => {
    asked.push(request.url ?? '');
    got.push(request.headers);
    request.resume().on('end', () => response.end(`you asked for ${request.url}`));
  });
  app.listen(port, '127.0.0.1');
  await once(app, 'listening');
  return app;
}
