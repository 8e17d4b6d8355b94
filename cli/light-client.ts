import { registerHooks } from 'node:module';

/** Modules of the client that the command uses, relative to its package. */
const USERS = ['/@kubernetes/client-node/dist/config.js', '/@kubernetes/client-node/dist/portforward.js'];
const GENERATED = './gen/index.js';
const LIGHT = '?light';

/** What those take of the generated code. The API classes are for ports of Services and Deployments, which are resolved to pods before here. */
const SOURCE = `
export { createConfiguration } from './configuration.js';
export { ServerConfiguration } from './servers.js';
export class CoreV1Api {}
export class AppsV1Api {}
`;

/**
 * Has this process load Kubernetes' client without the classes that it has for each kind and each call of the API: more than a thousand files, which take longer than
 * most commands, and of which `kube/` uses none. For the modules that are loaded after the call; where the client has another layout it is loaded whole.
 */
export function lightenClient(): void {
  registerHooks({
    resolve(specifier, context, next) {
      const found = next(specifier, context);
      const isLight = specifier === GENERATED && USERS.some((user) => context.parentURL?.endsWith(user));
      return isLight ? { ...found, url: `${found.url}${LIGHT}` } : found;
    },
    load(url, context, next) {
      const isLight = url.endsWith(`/client-node/dist/gen/index.js${LIGHT}`);
      return isLight ? { format: 'module', source: SOURCE, shortCircuit: true } : next(url, context);
    },
  });
}
