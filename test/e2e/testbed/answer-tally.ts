import type { CallResult } from './calls.ts';
import { type Echo, echoOf } from './echo.ts';
import { originOf } from './tcp-server.ts';

/** One answer whole. */
export interface Answer {
  /** HTTP status, or gRPC's. */
  readonly status?: number;
  /** Of the answer; of gRPC with its trailers. */
  readonly headers?: Readonly<Record<string, string>>;
  /** When a testbed server answered in HTTP or gRPC. */
  readonly echo?: Echo;
  /** The first 2,000 characters of any other answer. */
  readonly body?: string;
  readonly error?: string;
  readonly certificate?: CallResult['certificate'];
  readonly ms: number;
}

/** One request in a line. */
export interface TraceLine {
  /** Milliseconds from the start of the first. */
  readonly atMs: number;
  readonly ms: number;
  readonly outcome: string;
  readonly pod?: string;
  readonly version?: string;
}

/** What came of many requests. Counts by name have no entry for what did not occur. */
export interface ManyReport {
  readonly name?: string;
  readonly sent: number;
  /** Answered with 2xx or 3xx, gRPC status 0, or by TCP at all. */
  readonly ok: number;
  /** HTTP status, or gRPC's → answers. */
  readonly statuses: Readonly<Record<string, number>>;
  /** Pod, and version, of the server → answers. A proxy's own answers are in neither. */
  readonly pods: Readonly<Record<string, number>>;
  readonly versions: Readonly<Record<string, number>>;
  /** Kind (`ECONNRESET`, `ETIMEDOUT`, …) → requests without an answer. */
  readonly errors: Readonly<Record<string, number>>;
  readonly latencyMs: { readonly p50: number; readonly p99: number; readonly max: number };
  readonly seconds: number;
  /** The first answers. */
  readonly answers: readonly Answer[];
  readonly trace?: readonly TraceLine[];
}

const MAX_BODY = 2000;

export interface TallyOptions {
  readonly answers: number;
  readonly trace: boolean;
  /** Of TCP: what comes is no echo but a line. */
  readonly lines: boolean;
  /** gRPC: 0 is well, and nothing else. */
  readonly grpc: boolean;
}

/** Adds up what calls give. */
export class AnswerTally {
  readonly #options: TallyOptions;
  readonly #start = performance.now();
  readonly #statuses = new Map<string, number>();
  readonly #pods = new Map<string, number>();
  readonly #versions = new Map<string, number>();
  readonly #errors = new Map<string, number>();
  readonly #answers: Answer[] = [];
  readonly #trace: TraceLine[] = [];
  readonly #times: number[] = [];
  #ok = 0;

  constructor(options: TallyOptions) {
    this.#options = options;
  }

  /** @param start when the call began, by `performance.now()` */
  add(result: CallResult, start: number): void {
    const { status, headers, body = '', error, certificate } = result;
    const ms = performance.now() - start;
    this.#times.push(ms);
    if (error !== undefined) count(this.#errors, error);
    else if (status !== undefined) count(this.#statuses, String(status));
    if (error === undefined && this.#isOk(status)) this.#ok++;
    const echo = this.#options.lines ? undefined : echoOf(body);
    const origin = this.#options.lines ? originOf(body) : echo;
    if (origin !== undefined) {
      count(this.#pods, origin.pod);
      count(this.#versions, origin.version);
    }
    if (this.#answers.length < this.#options.answers) {
      this.#answers.push({
        ...(status !== undefined && { status }),
        ...(headers && { headers }),
        ...(echo ? { echo } : body !== '' && { body: body.slice(0, MAX_BODY) }),
        ...(error !== undefined && { error }),
        ...(certificate && { certificate }),
        ms: Math.round(ms),
      });
    }
    if (this.#options.trace) {
      this.#trace.push({
        atMs: Math.round(start - this.#start),
        ms: Math.round(ms),
        outcome: error ?? String(status ?? 'answered'),
        ...(origin && { pod: origin.pod, version: origin.version }),
      });
    }
  }

  report(name: string | undefined): ManyReport {
    const times = this.#times.toSorted((a, b) => a - b);
    const at = (share: number): number =>
      Math.round(times[Math.min(times.length - 1, Math.floor(times.length * share))] ?? 0);
    return {
      ...(name !== undefined && { name }),
      sent: times.length,
      ok: this.#ok,
      statuses: Object.fromEntries(this.#statuses),
      pods: Object.fromEntries(this.#pods),
      versions: Object.fromEntries(this.#versions),
      errors: Object.fromEntries(this.#errors),
      latencyMs: { p50: at(0.5), p99: at(0.99), max: at(1) },
      seconds: Math.round(performance.now() - this.#start) / 1000,
      answers: this.#answers,
      ...(this.#options.trace && { trace: this.#trace }),
    };
  }

  #isOk(status: number | undefined): boolean {
    if (status === undefined) return true;
    return this.#options.grpc ? status === 0 : status >= 200 && status < 400;
  }
}

function count(counts: Map<string, number>, key: string): void {
  counts.set(key, (counts.get(key) ?? 0) + 1);
}
