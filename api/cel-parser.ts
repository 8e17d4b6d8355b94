import { createRequire } from 'node:module';
import type { parse } from '@bufbuild/cel';

type Parse = typeof parse;

let loaded: Parse | undefined;

/**
 * Loads the parser of CEL now. It takes a tenth of a second, and few objects have an expression: commands load it with the first, a server when it starts, since
 * its requests must not wait for that.
 */
export function loadCelParser(): Parse {
  loaded ??= (createRequire(import.meta.url)('@bufbuild/cel') as { readonly parse: Parse }).parse;
  return loaded;
}
