import type { Scope } from './scope.ts';

/** By scope and name, what was found out in one state of the mesh: thousands of proxies ask for each. */
export class ScopeMemo<Value> {
  private readonly most: number;
  private readonly scopes = new Map<Scope, Map<string, Value>>();
  /** The scope that was asked for last: a proxy asks for thousands of names on end. */
  private scope: Scope | undefined;
  private names = new Map<string, Value>();

  /** @param most names that are remembered of a scope; absent: all, for where only names that mean something are */
  constructor(most = Number.POSITIVE_INFINITY) {
    this.most = most;
  }

  get(scope: Scope, name: string): Value | undefined {
    return this.of(scope).get(name);
  }

  set(scope: Scope, name: string, value: Value): void {
    const names = this.of(scope);
    if (names.size < this.most) names.set(name, value);
  }

  /** The mesh is another now. */
  forget(): void {
    this.scopes.clear();
    this.scope = undefined;
  }

  private of(scope: Scope): Map<string, Value> {
    if (scope === this.scope) return this.names;
    const names = this.scopes.get(scope) ?? new Map<string, Value>();
    this.scopes.set(scope, names);
    this.scope = scope;
    this.names = names;
    return names;
  }
}
