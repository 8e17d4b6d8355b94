import { type MtlsDecision, matchMtls } from './mtls.ts';
import { buildScope, type PolicyScope } from './peer-authentication.ts';
import type { Labels } from './selector.ts';
import type { MeshSettings } from './snapshot.ts';
import type { MeshTables } from './tables.ts';

/** PeerAuthentications by scope, those of each namespace sorted once: good for as long as none of them changes. */
export class MtlsScopes {
  readonly #rootNamespace: string;
  readonly #tables: MeshTables;
  readonly #scopes = new Map<string, PolicyScope>();

  constructor({ rootNamespace }: MeshSettings, tables: MeshTables) {
    this.#rootNamespace = rootNamespace;
    this.#tables = tables;
  }

  /** How they come out for a workload, whether it is a pod or not. */
  match(namespace: string, labels: Labels): MtlsDecision {
    const own = namespace === this.#rootNamespace ? undefined : this.#scopeOf(namespace);
    return matchMtls(this.#scopeOf(this.#rootNamespace), own, labels);
  }

  #scopeOf(namespace: string): PolicyScope {
    const known = this.#scopes.get(namespace);
    if (known !== undefined) return known;
    const scope = buildScope(this.#tables.peerAuthentications.select('namespace', namespace));
    this.#scopes.set(namespace, scope);
    return scope;
  }
}
