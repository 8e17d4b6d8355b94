import type { NameFilter } from './name-table.ts';

/** What a proxy has and wants of route configurations. */
export interface RouteHolding {
  /** Those that it has. */
  readonly has: readonly string[];
  /** Those that it asks for, these among them. */
  readonly asked: NameFilter;
  /** Those that it gets just now: it has none of their virtual hosts, whatever it was sent or says it holds. */
  readonly fresh: ReadonlySet<string>;
}

/** What becomes of virtual hosts when a proxy has other route configurations. */
interface HoldingChange {
  /** Route configurations all of whose virtual hosts it is to be sent. */
  readonly added: ReadonlySet<string>;
  /** Virtual hosts that it does not have, though it says so. */
  readonly doubtful: readonly string[];
  /** Virtual hosts that may differ now. */
  readonly touched: readonly string[];
  /** Virtual hosts of which it is to be told that they are gone. */
  readonly abandoned: readonly string[];
}

/** The route configurations all of whose virtual hosts a proxy is to have. Names of these have that of the configuration and a slash in front. */
export class Collections {
  private readonly names = new Set<string>();
  /** Those that it asks for; undefined while that is not known. */
  private asked: NameFilter | undefined;

  all(): Iterable<string> {
    return this.names;
  }

  has(collection: string): boolean {
    return this.names.has(collection);
  }

  covers(name: string): boolean {
    return this.names.size > 0 && this.names.has(collectionOf(name));
  }

  /** Whether nothing asks for the name any more, of which the proxy is to be told that it is gone. */
  isAbandoned(name: string): boolean {
    return this.asked !== undefined && !this.asked.has(collectionOf(name));
  }

  /**
   * Takes in what a proxy has now.
   * @param held names of virtual hosts that it holds
   */
  change({ has, asked, fresh }: RouteHolding, held: Iterable<string>): HoldingChange {
    const added = new Set(has.filter((name) => fresh.has(name) || !this.names.has(name)));
    this.asked = asked;
    for (const name of this.names) if (!asked.has(name)) this.names.delete(name);
    for (const name of added) this.names.add(name);
    const doubtful: string[] = [];
    const touched: string[] = [];
    const abandoned: string[] = [];
    for (const name of held) {
      const collection = collectionOf(name);
      if (added.has(collection)) touched.push(name);
      if (added.has(collection) && fresh.has(collection)) doubtful.push(name);
      // Envoy has thrown these away but goes on reporting that it has them, until their removal; it would not be sent them when it asks again.
      if (this.isAbandoned(name)) abandoned.push(name);
    }
    return { added, doubtful, touched, abandoned };
  }
}

/** The route configuration of a virtual host, or of what is asked for. */
export function collectionOf(name: string): string {
  return name.slice(0, Math.max(0, name.lastIndexOf('/')));
}
