import type { Hop } from './answer.ts';

interface Tally {
  ok: number;
  failed: number;
}

/** What the load generator saw, as `/counts` tells it. Only ever grows: take the difference of two readings. */
export interface Counts {
  readonly sent: number;
  readonly ok: number;
  readonly failed: number;
  /** Status code, or code of the connection error → requests. */
  readonly outcomes: Readonly<Record<string, number>>;
  readonly methods: Readonly<Record<string, Tally>>;
  /** Service → version → requests that came by it. */
  readonly services: Readonly<Record<string, Readonly<Record<string, Tally>>>>;
  readonly lastFailure?: {
    readonly time: string;
    readonly method: string;
    readonly outcome: string;
    readonly chain: readonly Hop[];
  };
}

/** Counts requests by outcome, method, and version of each service they came by. */
export class Counter {
  #sent = 0;
  readonly #total: Tally = { ok: 0, failed: 0 };
  readonly #outcomes: Record<string, number> = {};
  readonly #methods: Record<string, Tally> = {};
  readonly #services: Record<string, Record<string, Tally>> = {};
  #lastFailure: Counts['lastFailure'];

  started(): void {
    this.#sent++;
  }

  /** @param outcome status code, or code of the connection error */
  ended(method: string, outcome: string, chain: readonly Hop[]): void {
    const key = /^[23]/.test(outcome) ? 'ok' : 'failed';
    this.#total[key]++;
    this.#outcomes[outcome] = (this.#outcomes[outcome] ?? 0) + 1;
    this.#methods[method] ??= { ok: 0, failed: 0 };
    this.#methods[method][key]++;
    for (const { service, version } of chain) {
      this.#services[service] ??= {};
      const versions = this.#services[service];
      versions[version] ??= { ok: 0, failed: 0 };
      versions[version][key]++;
    }
    if (key === 'failed') this.#lastFailure = { time: new Date().toISOString(), method, outcome, chain };
  }

  read(): Counts {
    return {
      sent: this.#sent,
      ...this.#total,
      outcomes: this.#outcomes,
      methods: this.#methods,
      services: this.#services,
      ...(this.#lastFailure === undefined ? {} : { lastFailure: this.#lastFailure }),
    };
  }
}
