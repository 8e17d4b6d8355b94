/** Versions that are remembered; a proxy that is further behind counts as not having what has changed since. */
const REMEMBERED = 20_000;

/**
 * Remembers of which state of the mesh a version of a resource is, for resources that many things stand in: whoever has an older version of such
 * a one may yet have all that matters of it to somebody.
 */
export class VersionLog {
  private readonly states = new Map<string, number>();
  /** Number of the state of the mesh; it goes up with every update. */
  state = 0;

  /** Notes that a version was made of the present state. */
  note(version: string): void {
    this.states.delete(version);
    this.states.set(version, this.state);
    if (this.states.size <= REMEMBERED) return;
    const [oldest] = this.states.keys();
    if (oldest !== undefined) this.states.delete(oldest);
  }

  /** Whether a version was made of a state no older than the given one. */
  isSince(version: string, state: number): boolean {
    const made = this.states.get(version);
    return made !== undefined && made >= state;
  }
}
