declare module 'json-patch' {
  import type { PatchOperation } from './patch.ts';

  /** Applies a patch (RFC 6902) in place. */
  export function apply<T>(document: T, patch: readonly PatchOperation[]): T;
  const jsonPatch: { apply: typeof apply };
  export default jsonPatch;
}
