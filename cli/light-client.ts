import { registerHooks } from 'node:module';

/** Modules of the client that the command uses, relative to its package. */
const USERS = ['/@kubernetes/client-node/dist/config.js', '/@kubernetes/client-node/dist/portforward.js'];
const GENERATED = './gen/index.js';

/**
 * Has this process load Kubernetes' client without the classes that it has for each kind and each call of the API: more than a thousand files, which take longer than
 * most commands, and of which `kube/` uses none. For the modules that are loaded after the call; where the client has another layout it is loaded whole.
 */
export function lightenClient(): void {
  const url = new URL('./generated-client.ts', import.meta.url).href;
  registerHooks({
    resolve(specifier, context, next) {
      const isLight = specifier === GENERATED && USERS.some((user) => context.parentURL?.endsWith(user));
      return isLight ? { url, shortCircuit: true } : next(specifier, context);
    },
  });
}
