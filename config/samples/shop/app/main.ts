import { call } from './client.ts';
import { runLoad } from './load.ts';
import { serve } from './server.ts';
import { readSettings, type Settings } from './settings.ts';
import { serveShop } from './shop-service.ts';

/** Asks the load generator of this pod: `counts`, or `rate N`. */
async function ask({ port }: Settings, what: string, value: string | undefined): Promise<void> {
  const url = `http://127.0.0.1:${port}`;
  const { status, body } =
    what === 'rate' ? await call('POST', `${url}/rate?value=${value}`, {}) : await call('GET', `${url}/counts`, {});
  process.stdout.write(body);
  process.exit(status === 200 ? 0 : 1);
}

const settings = readSettings(process.env);
const [what, value] = process.argv.slice(2);
if (what !== undefined) {
  await ask(settings, what, value);
} else if (settings.role === 'load') {
  runLoad(settings);
} else {
  serve(settings.port, settings.drainMs, async (request, body) => {
    const { method = 'GET', url = '/', headers } = request;
    const { status, chain } = await serveShop(settings, { method, path: url, headers, body });
    return { status, body: { service: settings.role, version: settings.version, chain } };
  });
}
if (what === undefined) process.stdout.write(`${settings.role} ${settings.version} listens on ${settings.port}\n`);
