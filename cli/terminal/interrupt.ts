/**
 * A signal that comes with Ctrl-C, or when the process is told to end: what runs until then ends in order. A second Ctrl-C ends it at once.
 */
export function onInterrupt(): AbortSignal {
  const interrupted = new AbortController();
  for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => interrupted.abort());
  return interrupted.signal;
}
