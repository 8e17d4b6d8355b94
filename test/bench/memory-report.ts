/** Loaded before a program that knows nothing of benches: tells its memory over Node's message channel, and ends with that. */

process.on('message', () => {
  globalThis.gc?.();
  globalThis.gc?.();
  const { heapUsed, external } = process.memoryUsage();
  process.send?.({ heap: heapUsed + external });
});
process.on('disconnect', () => process.exit(0));
