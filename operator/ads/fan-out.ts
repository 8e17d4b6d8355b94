import type { ResourceChange } from '../xds/resource.ts';
import type { ProxyStream } from './stream.ts';

/** Longest turn on the event loop, in ms; the rest of the streams gets the next one. */
const TURN_MS = 5;

/**
 * Carries changes to streams. Changes that come while the event loop is busy are carried together; when it is quiet the next
 * turn sends. There is no fixed delay.
 */
export class FanOut {
  private readonly streams: () => Iterable<ProxyStream>;
  private readonly failed: (stream: ProxyStream, error: unknown) => void;
  private changes: ResourceChange[] = [];
  private running = false;

  /**
   * @param streams gives all open streams
   * @param failed is told when a change cannot be carried to one of them; the others still get it
   */
  constructor(streams: () => Iterable<ProxyStream>, failed: (stream: ProxyStream, error: unknown) => void) {
    this.streams = streams;
    this.failed = failed;
  }

  publish(change: ResourceChange): void {
    this.changes.push(change);
    if (!this.running) {
      this.running = true;
      setImmediate(() => this.begin());
    }
  }

  private begin(): void {
    const changes = this.changes;
    this.changes = [];
    // A stream opened during the round sees the newest state when it subscribes, so a copy of the list is enough.
    this.turn(changes, [...this.streams()], 0);
  }

  private turn(changes: readonly ResourceChange[], streams: readonly ProxyStream[], start: number): void {
    const until = performance.now() + TURN_MS;
    for (let index = start; index < streams.length; index++) {
      const stream = streams[index];
      if (stream !== undefined) {
        this.carry(changes, stream);
      }
      if (performance.now() > until && index + 1 < streams.length) {
        setImmediate(() => this.turn(changes, streams, index + 1));
        return;
      }
    }
    if (this.changes.length > 0) {
      setImmediate(() => this.begin());
    } else {
      this.running = false;
    }
  }

  private carry(changes: readonly ResourceChange[], stream: ProxyStream): void {
    try {
      let touched = false;
      for (const change of changes) {
        const affected = change.affected(stream.proxy);
        if (affected !== undefined) {
          stream.mark(affected);
          touched = true;
        }
      }
      if (touched) {
        stream.pump();
      }
    } catch (error) {
      this.failed(stream, error);
    }
  }
}
