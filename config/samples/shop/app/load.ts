import { readChain } from './answer.ts';
import { call, errorCode } from './client.ts';
import { Counter } from './counts.ts';
import { type Reply, serve } from './server.ts';
import type { Settings } from './settings.ts';

const TICK_MS = 20;
const MAX_IN_FLIGHT = 2000;

/**
 * Sends GETs and POSTs in turn at a steady rate, whatever the answers do, and serves what came of them on `/counts`.
 * `POST /rate?value=N` changes the rate.
 */
export function runLoad(settings: Settings): void {
  const counter = new Counter();
  let rate = settings.rate;
  let inFlight = 0;
  let due = 0;
  let last = performance.now();
  let number = 0;

  const send = async (method: 'GET' | 'POST'): Promise<void> => {
    const body = method === 'POST' ? JSON.stringify({ item: 'shuttle', quantity: 1 + (number % 3) }) : undefined;
    counter.started();
    inFlight++;
    try {
      const response = await call(method, `${settings.next}/orders`, {}, body);
      counter.ended(method, String(response.status), readChain(response.body));
    } catch (error) {
      counter.ended(method, errorCode(error), []);
    } finally {
      inFlight--;
    }
  };

  const ticker = setInterval(() => {
    const now = performance.now();
    // After a pause of the process the missed requests are not made up for: that would be a burst, not a rate.
    due += (Math.min(now - last, 1000) * rate) / 1000;
    last = now;
    for (; due >= 1; due--) {
      if (inFlight < MAX_IN_FLIGHT) void send(number++ % 2 === 0 ? 'GET' : 'POST');
    }
  }, TICK_MS);

  serve(settings.port, 0, async (request): Promise<Reply> => {
    const url = new URL(request.url ?? '/', 'http://load');
    if (url.pathname === '/counts') return { status: 200, body: { rate, inFlight, ...counter.read() } };
    if (url.pathname !== '/rate' || request.method !== 'POST') return { status: 404, body: { error: 'try /counts' } };
    const value = Number(url.searchParams.get('value') ?? Number.NaN);
    if (!(value >= 0 && value <= 10_000))
      return { status: 400, body: { error: 'value must be a number from 0 to 10000' } };
    rate = value;
    return { status: 200, body: { rate } };
  });
  process.once('SIGTERM', () => clearInterval(ticker));
}
