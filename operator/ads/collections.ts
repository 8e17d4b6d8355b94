/** What a proxy has and wants of route configurations. */
export interface RouteHolding {
  /** Those that it has. */
  readonly has: readonly string[];
  /** Those that it asks for, these among them. */
  readonly asked: ReadonlySet<string>;
  /** Those that it gets just now: it has none of their virtual hosts, whatever it was sent or says it holds. */
  readonly fresh: ReadonlySet<string>;
}

/** What becomes of virtual hosts when a proxy has other route configurations. */
interface HoldingChange {
  /** Route configurations all of whose virtual hosts it is to be sent. */
  readonly added: ReadonlySet<string>;
  /** Virtual hosts that it does not have, though it says so. */
  readonly forgotten: readonly string[];
  /** Virtual hosts that may differ now. */
  readonly touched: readonly string[];
}

/** The route configurations all of whose virtual hosts a proxy is to have. Names of these have that of the configuration and a slash in front. */
export class Collections {
  private readonly names = new Set<string>();
  private readonly abandoned = new Set<string>();

  covers(name: string): boolean {
    return this.names.size > 0 && this.names.has(collectionOf(name));
  }

  /** It is to be removed though nothing asks for it any more. */
  isAbandoned(name: string): boolean {
    return this.abandoned.has(name);
  }

  /** The proxy is being told of the name. */
  tell(name: string): void {
    if (this.abandoned.size > 0) this.abandoned.delete(name);
  }

  /**
   * Takes in what a proxy has now.
   * @param held names of virtual hosts that it holds
   * @param isNamed whether it asks for a virtual host by its own name
   */
  change(
    { has, asked, fresh }: RouteHolding,
    held: Iterable<string>,
    isNamed: (name: string) => boolean,
  ): HoldingChange {
    const added = new Set(has.filter((name) => fresh.has(name) || !this.names.has(name)));
    for (const name of this.names) if (!asked.has(name)) this.names.delete(name);
    for (const name of added) this.names.add(name);
    const forgotten: string[] = [];
    const touched: string[] = [];
    for (const name of held) {
      const collection = collectionOf(name);
      if (added.has(collection)) touched.push(name);
      if (added.has(collection) && fresh.has(collection)) forgotten.push(name);
      // Envoy has thrown these away but goes on reporting that it has them, until their removal; it would not be sent them when it asks again.
      if (asked.has(collection) || isNamed(name)) continue;
      this.abandoned.add(name);
      touched.push(name);
    }
    return { added, forgotten, touched };
  }
}

function collectionOf(name: string): string {
  return name.slice(0, Math.max(0, name.lastIndexOf('/')));
}
