import { registerHooks } from 'node:module';
import path from 'node:path';

/** A module that is loaded in the place of another. */
interface Substitute {
  /** As it is written where it is imported. */
  readonly specifier: string;
  /** How the URLs of the modules end, or what they hold, that get the substitute. */
  readonly isFor: (importer: string) => boolean;
  /** Beside this file, without its extension. */
  readonly module: string;
}

/** Modules of the client that the command uses, relative to its package. */
const CLIENT_USERS = ['/@kubernetes/client-node/dist/config.js', '/@kubernetes/client-node/dist/portforward.js'];

/** As built, the files have another. */
const EXTENSION = path.extname(import.meta.url);

const SUBSTITUTES: readonly Substitute[] = [
  // The classes that the client has for each kind and each call of the API: more than a thousand files, of which `kube/` uses none.
  {
    specifier: './gen/index.js',
    isFor: (importer) => CLIENT_USERS.some((user) => importer.endsWith(user)),
    module: './generated-client',
  },
  // The languages that zod has messages in: fifty files. English it loads by itself.
  {
    specifier: '../locales/index.js',
    isFor: (importer) => importer.includes('/node_modules/zod/'),
    module: './no-languages',
  },
];

/**
 * Has this process load Kubernetes' client and zod without what takes longer to load than most commands to run, and is used by none. For the modules that are
 * loaded after the call; where a package has another layout it is loaded whole.
 */
export function lightenPackages(): void {
  registerHooks({
    resolve(specifier, context, next) {
      const found = SUBSTITUTES.find((one) => one.specifier === specifier && one.isFor(context.parentURL ?? ''));
      return found
        ? { url: new URL(found.module + EXTENSION, import.meta.url).href, shortCircuit: true }
        : next(specifier, context);
    },
  });
}
