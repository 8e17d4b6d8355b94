import type { OutgoingHttpHeaders } from 'node:http';
import type { BlockList } from 'node:net';
import type { SecureContext } from 'node:tls';
import { z } from 'zod';
import { errorCode, NoAddressError, readText, sendGuarded, UnreadableAnswer } from '../outward/guarded-request.ts';

/** A time series as an instant query gives it. */
export interface PromSample {
  readonly metric: Readonly<Record<string, string>>;
  readonly value: number;
}

/** A time series as a range query gives it: seconds since the epoch and values. */
export interface PromRange {
  readonly metric: Readonly<Record<string, string>>;
  readonly values: readonly (readonly [at: number, value: number])[];
}

export interface PrometheusOptions {
  /** Without a slash at the end. */
  readonly url: string;
  readonly timeoutMs: number;
  /** Addresses that are allowed although they are of this machine or of its link. */
  readonly allowed: BlockList;
  /** Whose certificates are good. */
  readonly trust?: SecureContext | undefined;
  /** Header `authorization`; '' for none. @throws {Error} when it can't be read */
  authorization(): Promise<string>;
}

/** Prometheus did not answer what was asked; the message is a sentence for people. */
export class PrometheusError extends Error {}

/** Reading an answer takes the event loop for as long as it is long. */
const MAX_BYTES = 8 << 20;
const MAX_WORDS = 200;

const number = z.string().transform(Number);
const metric = z.record(z.string(), z.string());
const pair = z.tuple([z.number(), number]);
const vector = z.object({
  data: z.object({ resultType: z.literal('vector'), result: z.array(z.object({ metric, value: pair })) }),
});
const matrix = z.object({
  data: z.object({ resultType: z.literal('matrix'), result: z.array(z.object({ metric, values: z.array(pair) })) }),
});
const refusal = z.object({ error: z.string() });

/** Asks a Prometheus, within bounds of time and size. */
export class PrometheusClient {
  readonly #options: PrometheusOptions;

  constructor(options: PrometheusOptions) {
    this.#options = options;
  }

  /** Asks for values at a moment, in seconds since the epoch. @throws {PrometheusError} */
  async query(query: string, at: number): Promise<PromSample[]> {
    const answer = vector.safeParse(await this.#ask('query', { query, time: String(at) }));
    if (!answer.success) throw this.#misshapen();
    return answer.data.data.result.map(({ metric: labels, value: [, value] }) => ({ metric: labels, value }));
  }

  /** Asks for values from `start` to `end` every `step`, all in seconds. @throws {PrometheusError} */
  async range(query: string, window: { start: number; end: number; step: number }): Promise<PromRange[]> {
    const { start, end, step } = window;
    const parameters = { query, start: String(start), end: String(end), step: String(step) };
    const answer = matrix.safeParse(await this.#ask('query_range', parameters));
    if (!answer.success) throw this.#misshapen();
    return answer.data.data.result;
  }

  #misshapen(): PrometheusError {
    return new PrometheusError(`Prometheus at ${this.#options.url} ${SHAPE}`);
  }

  async #ask(what: string, parameters: Record<string, string>): Promise<unknown> {
    const { url, timeoutMs, allowed, trust, authorization } = this.#options;
    const signal = AbortSignal.timeout(timeoutMs);
    try {
      const token = await authorization();
      const headers: OutgoingHttpHeaders = {
        accept: 'application/json',
        'content-type': 'application/x-www-form-urlencoded',
        ...(token === '' ? {} : { authorization: token }),
      };
      const body = new URLSearchParams(parameters).toString();
      const target = new URL(`${url}/api/v1/${what}`);
      const answer = await sendGuarded(target, { method: 'POST', headers, body, signal, allowed, trust });
      return readAnswer(answer.statusCode ?? 0, await readText(answer, MAX_BYTES));
    } catch (error) {
      throw new PrometheusError(`Prometheus at ${url} ${reasonOf(error, signal, timeoutMs)}`, { cause: error });
    }
  }
}

const SHAPE = 'answers in a form that is not its own';

function readAnswer(status: number, text: string): unknown {
  let answer: unknown;
  try {
    answer = JSON.parse(text);
  } catch {
    throw new PrometheusError(status === 200 ? SHAPE : `answers ${status}`);
  }
  if (status === 200) return answer;
  const said = refusal.safeParse(answer);
  throw new PrometheusError(said.success ? `says: ${said.data.error.slice(0, MAX_WORDS)}` : `answers ${status}`);
}

function reasonOf(error: unknown, signal: AbortSignal, timeoutMs: number): string {
  if (signal.aborted) return `does not answer within ${timeoutMs / 1000} s`;
  if (error instanceof PrometheusError || error instanceof UnreadableAnswer)
    return error.message.replace(/^the answer/, 'gives an answer that');
  if (error instanceof NoAddressError) return `can't be asked: ${error.message}; see metrics.allowedAddresses`;
  return `can't be reached (${errorCode(error)})`;
}
