import type { Assignment } from './assignment.ts';
import type { Lazy } from './lazy.ts';
import type { XdsResource } from './resource.ts';
import type { Scope } from './scope.ts';

/** A cluster as the clients of a scope have it, and its endpoints where they come from the mesh. */
export interface FoundCluster {
  readonly cluster: Lazy<XdsResource>;
  readonly assignment: Assignment | undefined;
}

/** By scope and name, clusters that were looked up in one state of the mesh: thousands of proxies ask for each. */
export class FoundClusters {
  private readonly scopes = new Map<Scope, Map<string, FoundCluster>>();
  /** The scope that was asked for last: a proxy asks for thousands of names on end. */
  private scope: Scope | undefined;
  private names: Map<string, FoundCluster> = new Map();

  get(scope: Scope, name: string): FoundCluster | undefined {
    return this.of(scope).get(name);
  }

  set(scope: Scope, name: string, found: FoundCluster): void {
    this.of(scope).set(name, found);
  }

  /** The mesh is another now. */
  forget(): void {
    this.scopes.clear();
    this.scope = undefined;
  }

  private of(scope: Scope): Map<string, FoundCluster> {
    if (scope === this.scope) return this.names;
    const names = this.scopes.get(scope) ?? new Map<string, FoundCluster>();
    this.scopes.set(scope, names);
    this.scope = scope;
    this.names = names;
    return names;
  }
}
