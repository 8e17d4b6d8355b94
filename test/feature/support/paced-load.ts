import { fork } from 'node:child_process';
import { once } from 'node:events';

/** A load: GETs over HTTP/1.1 at a rate, as long as the proxy keeps up, each for another host. */
export interface PacedLoad {
  /** Hosts are `unknown-NUMBER` of this domain. */
  readonly domain: string;
  readonly count: number;
  readonly perSecond: number;
  /** No answer may take longer, in ms. */
  readonly hangMs: number;
}

/** What came of a load. */
export interface LoadReport {
  /** How many answers had which status. */
  readonly statuses: readonly (readonly [status: string, count: number])[];
  /** How long it took, in ms. */
  readonly ms: number;
  /** CPU of whoever sent it, in ms. */
  readonly cpuMs: number;
}

/** Sends a load from a process of its own, so that nobody waits for it but the proxy. @throws {Error} when a connection is closed, or an answer missing */
export async function sendPaced(address: string, port: number, load: PacedLoad): Promise<LoadReport> {
  const plan = JSON.stringify({ address, port, ...load });
  const sender = fork(new URL('./paced-sender.ts', import.meta.url), [plan], { execArgv: ['--no-warnings'] });
  let report: LoadReport | undefined;
  sender.on('message', (message) => {
    report = message as LoadReport;
  });
  const [code] = (await once(sender, 'close')) as [number | null];
  if (report === undefined) throw new Error(`the load ended with ${code}`);
  return report;
}
