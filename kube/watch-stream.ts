import type { IncomingMessage } from 'node:http';
import { KubeConnectionError, KubeError, kubeErrorFrom } from './kube-error.ts';
import type { KubeObject } from './object.ts';

/** Largest object that a watch may bring: etcd's own limit is 1.5 MiB, JSON may be larger. */
const MAX_LINE_BYTES = 16 * 1024 * 1024;
const NEWLINE = 10;

/** One event of a watch; ERROR events are thrown instead. A BOOKMARK only carries a resourceVersion. */
export interface WatchEvent<T> {
  readonly type: 'ADDED' | 'MODIFIED' | 'DELETED' | 'BOOKMARK';
  readonly object: T;
}

/**
 * Splits a watch's body into events. Ends without an error when the server ends the watch.
 * @param idleMs the stream counts as dead after so long without a byte, milliseconds
 * @throws {KubeError} for an ERROR event (410: the resourceVersion is too old), a malformed or an endless line (code 0)
 * @throws {KubeConnectionError} on a reset, and with code `EIDLE` on silence
 */
export async function* readWatch<T extends KubeObject>(
  body: IncomingMessage,
  idleMs: number,
): AsyncGenerator<WatchEvent<T>> {
  let idle = false;
  const timer = setTimeout(() => {
    idle = true;
    body.destroy(new Error('idle'));
  }, idleMs);
  try {
    let parts: Buffer[] = [];
    let size = 0;
    for await (const chunk of body as AsyncIterable<Buffer>) {
      timer.refresh();
      let start = 0;
      for (let end = chunk.indexOf(NEWLINE); end >= 0; end = chunk.indexOf(NEWLINE, start)) {
        const tail = chunk.subarray(start, end);
        const line = parts.length > 0 ? Buffer.concat([...parts, tail]) : tail;
        parts = [];
        size = 0;
        start = end + 1;
        if (line.length > 0) yield parseEvent<T>(line);
      }
      if (start < chunk.length) {
        parts.push(chunk.subarray(start));
        size += chunk.length - start;
      }
      if (size > MAX_LINE_BYTES) throw new KubeError(0, 'LineTooLong', `watch: a line is over ${MAX_LINE_BYTES} bytes`);
    }
  } catch (error) {
    if (error instanceof KubeError) throw error;
    if (idle) throw new KubeConnectionError('EIDLE', `watch: silent for ${idleMs} ms`, error);
    const { code = 'ECONNRESET', message = '' } = error as { code?: string; message?: string };
    throw new KubeConnectionError(code, `watch: ${message || code}`, error);
  } finally {
    clearTimeout(timer);
    body.destroy();
  }
}

function parseEvent<T extends KubeObject>(line: Buffer): WatchEvent<T> {
  let event: { type?: unknown; object?: unknown };
  try {
    event = JSON.parse(line.toString('utf8'));
  } catch (cause) {
    throw new KubeError(0, 'MalformedEvent', `watch: a line is no JSON: ${String(cause)}`);
  }
  const { type, object } = event ?? {};
  if (type === 'ERROR') throw kubeErrorFrom(500, object, 'watch');
  const known = type === 'ADDED' || type === 'MODIFIED' || type === 'DELETED' || type === 'BOOKMARK';
  if (!known || typeof object !== 'object' || object === null) {
    throw new KubeError(0, 'MalformedEvent', 'watch: an event has no known type or no object');
  }
  return { type, object: object as T };
}
