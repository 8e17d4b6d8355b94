import type { OutgoingHttpHeaders } from 'node:http';
import type { BlockList } from 'node:net';
import type { SecureContext } from 'node:tls';
import { errorCode, NoAddressError, readText, sendGuarded, UnreadableAnswer } from '../outward/guarded-request.ts';
import {
  MAX_ANSWER_BYTES,
  PrometheusError,
  type PromRange,
  type PromSample,
  readMatrix,
  readVector,
} from './prometheus-answer.ts';

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

/** Asks a Prometheus, within bounds of time and size. */
export class PrometheusClient {
  readonly #options: PrometheusOptions;

  constructor(options: PrometheusOptions) {
    this.#options = options;
  }

  /** Asks for values at a moment, in seconds since the epoch. @throws {PrometheusError} */
  query(query: string, at: number): Promise<PromSample[]> {
    return this.#ask('query', { query, time: String(at) }, readVector);
  }

  /** Asks for values from `start` to `end` every `step`, all in seconds. @throws {PrometheusError} */
  range(query: string, window: { start: number; end: number; step: number }): Promise<PromRange[]> {
    const { start, end, step } = window;
    const parameters = { query, start: String(start), end: String(end), step: String(step) };
    return this.#ask('query_range', parameters, readMatrix);
  }

  async #ask<T>(
    what: string,
    parameters: Record<string, string>,
    read: (status: number, text: string) => T,
  ): Promise<T> {
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
      return read(answer.statusCode ?? 0, await readText(answer, MAX_ANSWER_BYTES));
    } catch (error) {
      throw new PrometheusError(`Prometheus at ${url} ${reasonOf(error, signal, timeoutMs)}`, { cause: error });
    }
  }
}

function reasonOf(error: unknown, signal: AbortSignal, timeoutMs: number): string {
  if (signal.aborted) return `does not answer within ${timeoutMs / 1000} s`;
  if (error instanceof PrometheusError || error instanceof UnreadableAnswer)
    return error.message.replace(/^the answer/, 'gives an answer that');
  if (error instanceof NoAddressError) return `can't be asked: ${error.message}; see metrics.allowedAddresses`;
  return `can't be reached (${errorCode(error)})`;
}
