import { Agent, request } from 'node:http';
import { errorCode } from './calls.ts';

export interface LoadPlan {
  readonly url: string;
  /** Requests per second, sent whatever the answers do. */
  readonly rate: number;
  /** Infinity: until it is told to end. */
  readonly seconds: number;
  readonly methods: readonly string[];
  readonly bodyBytes: number;
  /** False: a connection of its own for each request. */
  readonly keepAlive: boolean;
  readonly timeoutMs: number;
}

/** What a load saw. */
export interface LoadReport {
  readonly sent: number;
  readonly ok: number;
  readonly failed: number;
  /** Kind (`503`, `ECONNRESET`, `ETIMEDOUT`, …) → requests. */
  readonly failures: Readonly<Record<string, number>>;
  /** The first failures, for the eye. */
  readonly examples: readonly { time: string; method: string; kind: string; body: string }[];
  readonly methods: Readonly<Record<string, number>>;
  /** Version, and pod, of the server → answers. */
  readonly versions: Readonly<Record<string, number>>;
  readonly pods: Readonly<Record<string, number>>;
  readonly latencyMs: { readonly p50: number; readonly p99: number; readonly max: number };
}

const TICK_MS = 10;
/** What a process that got no time for longer has missed is not made up for: that would be a burst, and no steady rate. */
const MAX_LAG_MS = 1000;
const MAX_EXAMPLES = 5;

interface Answer {
  readonly status: number;
  readonly body: string;
}

/** What a load is told, and tells, while it runs. */
export interface LoadEnds {
  /** Ends it before its time. */
  readonly ended?: Promise<unknown>;
  /** Called when the first answer is there, or the first failure. */
  readonly onFirst?: () => void;
}

/** Sends requests at a steady rate for a time and waits for the last answer. */
export async function runLoad(plan: LoadPlan, { ended, onFirst }: LoadEnds = {}): Promise<LoadReport> {
  const agent = plan.keepAlive ? new Agent({ keepAlive: true, maxSockets: 256 }) : new Agent({ keepAlive: false });
  const record = new Tally();
  const body = 'x'.repeat(plan.bodyBytes);
  const total = Math.round(plan.rate * plan.seconds);
  const running = new Set<Promise<void>>();
  let isOver = false;
  void ended?.then(() => {
    isOver = true;
  });
  let start = performance.now();
  for (let sent = 0; sent < total && !isOver; ) {
    const now = performance.now();
    start = Math.max(start, now - (sent * 1000) / plan.rate - MAX_LAG_MS);
    const due = Math.min(total, Math.floor(((now - start) * plan.rate) / 1000) + 1);
    for (; sent < due; sent++) {
      const method = plan.methods[sent % plan.methods.length] ?? 'GET';
      const call = record.measure(method, send(plan, agent, method, method === 'GET' ? undefined : body));
      running.add(call);
      if (sent === 0) void call.then(onFirst);
      void call.then(() => running.delete(call));
    }
    await new Promise((resolve) => setTimeout(resolve, TICK_MS));
  }
  await Promise.all(running);
  agent.destroy();
  return record.report();
}

function send(plan: LoadPlan, agent: Agent, method: string, body: string | undefined): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const length = body === undefined ? {} : { 'content-length': Buffer.byteLength(body) };
    const outgoing = request(plan.url, { method, agent, headers: length, timeout: plan.timeoutMs }, (response) => {
      const chunks: Buffer[] = [];
      response.on('data', (chunk: Buffer) => chunks.push(chunk));
      response.on('error', reject);
      response.on('end', () => resolve({ status: response.statusCode ?? 0, body: Buffer.concat(chunks).toString() }));
    });
    outgoing.on('timeout', () =>
      outgoing.destroy(Object.assign(new Error('no answer in time'), { code: 'ETIMEDOUT' })),
    );
    outgoing.on('error', reject);
    outgoing.end(body);
  });
}

class Tally {
  readonly #failures: Record<string, number> = {};
  readonly #examples: { time: string; method: string; kind: string; body: string }[] = [];
  readonly #methods: Record<string, number> = {};
  readonly #versions: Record<string, number> = {};
  readonly #pods: Record<string, number> = {};
  readonly #times: number[] = [];
  #ok = 0;

  async measure(method: string, call: Promise<Answer>): Promise<void> {
    const start = performance.now();
    add(this.#methods, method);
    try {
      const { status, body } = await call;
      if (status >= 200 && status < 400) this.#ok++;
      else this.#fail(method, String(status), body);
      this.#readOrigin(body);
    } catch (error) {
      this.#fail(method, errorCode(error), '');
    }
    this.#times.push(performance.now() - start);
  }

  report(): LoadReport {
    const times = this.#times.toSorted((a, b) => a - b);
    const at = (share: number): number =>
      Math.round(times[Math.min(times.length - 1, Math.floor(times.length * share))] ?? 0);
    return {
      sent: times.length,
      ok: this.#ok,
      failed: times.length - this.#ok,
      failures: this.#failures,
      examples: this.#examples,
      methods: this.#methods,
      versions: this.#versions,
      pods: this.#pods,
      latencyMs: { p50: at(0.5), p99: at(0.99), max: at(1) },
    };
  }

  #fail(method: string, kind: string, body: string): void {
    add(this.#failures, kind);
    if (this.#examples.length < MAX_EXAMPLES) {
      this.#examples.push({ time: new Date().toISOString(), method, kind, body: body.slice(0, 200) });
    }
  }

  /** Our servers tell who they are; a proxy's own answer does not. */
  #readOrigin(body: string): void {
    if (!body.startsWith('{')) return;
    const { version, pod } = JSON.parse(body);
    if (typeof version === 'string') add(this.#versions, version);
    if (typeof pod === 'string') add(this.#pods, pod);
  }
}

function add(counts: Record<string, number>, key: string): void {
  counts[key] = (counts[key] ?? 0) + 1;
}
