import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { Agent, request } from 'node:https';
import { podReview } from '../../webhook/testing/review.ts';
import { quantile, round } from './figures.ts';
import type { BenchResult } from './result.ts';

const WARM_UP = 500;
const REQUESTS = 4000;
const CONNECTIONS = 8;
const BENCH = 'injection';

/** AdmissionReview in, patch out, over HTTPS on loopback, as an API server sends them: a few connections that are kept. */
export async function run(): Promise<BenchResult[]> {
  const child = fork(new URL('./injection-server.ts', import.meta.url));
  const agent = new Agent({ keepAlive: true, maxSockets: CONNECTIONS, rejectUnauthorized: false });
  try {
    const { port } = await ask<{ port: number }>(child);
    await load(port, agent, WARM_UP);
    child.send('begin');
    const begun = performance.now();
    const times = await load(port, agent, REQUESTS);
    const seconds = (performance.now() - begun) / 1000;
    const { cpuMs, rssMb } = await ask<{ cpuMs: number; rssMb: number }>(child, 'end');
    return [
      { bench: BENCH, figure: 'throughput', value: round(REQUESTS / seconds), unit: 'requests/s' },
      { bench: BENCH, figure: 'p50', value: round(quantile(times, 0.5)), unit: 'ms' },
      { bench: BENCH, figure: 'p99', value: round(quantile(times, 0.99)), unit: 'ms' },
      { bench: BENCH, figure: 'CPU per request', value: round(cpuMs / REQUESTS), unit: 'ms', aim: 2 },
      { bench: BENCH, figure: 'memory of the webhook', value: round(rssMb), unit: 'MB' },
    ];
  } finally {
    agent.destroy();
    if (child.connected) child.send('stop');
    if (child.exitCode === null) await once(child, 'exit');
  }
}

async function ask<T>(child: ChildProcess, message?: string): Promise<T> {
  const answer = once(child, 'message');
  if (message) child.send(message);
  const [value] = (await answer) as [T];
  return value;
}

/** Sends so many reviews over the connections of the agent; gives how long each took, in milliseconds. */
async function load(port: number, agent: Agent, count: number): Promise<number[]> {
  const body = JSON.stringify(podReview('bench'));
  const times: number[] = [];
  let left = count;
  const worker = async (): Promise<void> => {
    while (left-- > 0) {
      const begun = performance.now();
      await send(port, agent, body);
      times.push(performance.now() - begun);
    }
  };
  await Promise.all(Array.from({ length: CONNECTIONS }, worker));
  return times;
}

function send(port: number, agent: Agent, body: string): Promise<void> {
  return new Promise((resolve, reject) => {
    const headers = { 'content-type': 'application/json', 'content-length': Buffer.byteLength(body) };
    const options = { host: '127.0.0.1', port, path: '/inject', method: 'POST', agent, headers };
    const sent = request(options, (response) => {
      response.on('end', () => {
        if (response.statusCode === 200) resolve();
        else reject(new Error(`the webhook answered ${response.statusCode}`));
      });
      response.resume();
    });
    sent.on('error', reject);
    sent.end(body);
  });
}
