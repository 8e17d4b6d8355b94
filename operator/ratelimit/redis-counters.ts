import { createClient, defineScript, type RedisClientOptions } from '@redis/client';
import { UNIT_SECONDS } from '../../api/rate-limit-policy.ts';
import type { Logger } from '../../kube/logger.ts';
import { type Counters, type Hit, type Tally, tallyOf } from './counters.ts';
import { type CountsState, CountsWatch } from './counts-watch.ts';

/** How to reach a Redis, or a Valkey. */
export interface RedisAccess {
  /** `redis://HOST:PORT/DATABASE`, `rediss://` for TLS; the mesh's settings have none with a password, so it may be logged. */
  readonly url: string;
  /** Asked at each connection. */
  credentials(): Promise<{ readonly username?: string; readonly password?: string }>;
  /** How long an answer may take, in ms. */
  readonly timeoutMs: number;
}

const CONNECT_MS = 3_000;
/** Between two attempts to connect, in ms. */
const RETRY_MS: readonly [number, number] = [100, 2_000];
/** Commands that wait for an answer at most: those of proxies that have given up long ago help nobody. */
const MAX_WAITING = 20_000;
const PREFIX = 'heddle:ratelimit:';
/** What is counted to see whether that works; no policy has such a domain. */
const WATCHED = 'watch';
const LOOK: Hit = { key: '', overflow: '', hits: 1, requests: 1, unit: 'Second' };

/** Counts, begins the window where there is none, and tells how long it lasts; all at once. */
const HIT = defineScript({
  NUMBER_OF_KEYS: 1,
  SCRIPT: `
local count = redis.call('INCRBY', KEYS[1], ARGV[1])
local left = redis.call('PTTL', KEYS[1])
if left < 0 then
  redis.call('PEXPIRE', KEYS[1], ARGV[2])
  left = tonumber(ARGV[2])
end
return {count, left}`,
  parseCommand(parser, key: string, hits: number, windowMs: number) {
    parser.pushKey(key);
    parser.push(String(hits), String(windowMs));
  },
  transformReply: (reply: unknown): readonly [number, number] => {
    const [count, left] = Array.isArray(reply) ? reply : [];
    // What is no number is above no limit.
    if (!Number.isSafeInteger(count) || !Number.isSafeInteger(left)) throw new Error('Redis answers with no counts');
    return [count, left];
  },
});

/** Counts in Redis or Valkey, which all replicas share and which outlives them. Keys end with their windows. */
export class RedisCounters implements Counters {
  readonly #client;
  readonly #timeoutMs: number;
  #problem = '';
  readonly #watch = new CountsWatch(() => this.count(WATCHED, [LOOK]));

  constructor({ url, credentials, timeoutMs }: RedisAccess, logger: Logger) {
    this.#timeoutMs = timeoutMs;
    const [first, most] = RETRY_MS;
    this.#client = createClient({
      url,
      credentialsProvider: { type: 'async-credentials-provider', credentials },
      scripts: { hit: HIT },
      // What can't be asked now is for the policy to say, at once.
      disableOfflineQueue: true,
      commandsQueueMaxLength: MAX_WAITING,
      socket: {
        connectTimeout: CONNECT_MS,
        reconnectStrategy: (retries: number) => Math.min(most, first * 2 ** Math.min(retries, 10)),
      },
    } satisfies RedisClientOptions);
    this.#client.on('ready', () => {
      this.#problem = '';
      logger.info('Redis keeps the counts of rate limits', { url });
    });
    this.#client.on('error', (error: Error) => {
      const problem = error.message || String(error);
      if (problem !== this.#problem) logger.warn('Redis cannot be asked for counts of rate limits', { problem });
      this.#problem = problem;
    });
  }

  /** Connects, and keeps the connection from now on. */
  start(): void {
    // It goes on trying; what is wrong its events tell.
    this.#client.connect().catch(() => {});
    this.#watch.start();
  }

  /** Whether it can be asked, as this replica sees it: it counts a request of nobody once a second. */
  get state(): CountsState {
    return this.#watch;
  }

  stop(): void {
    this.#watch.stop();
    this.#client.destroy();
  }

  /** @inheritDoc */
  async count(domain: string, hits: readonly Hit[]): Promise<readonly Tally[]> {
    if (!this.#client.isReady)
      throw new Error(`there is no connection to Redis${this.#problem && `: ${this.#problem}`}`);
    const counted = Promise.all(
      hits.map(async ({ key, hits: addend, requests, unit }) => {
        const [count, leftMs] = await this.#client.hit(
          `${PREFIX}${domain}:${unit}:${key}`,
          addend,
          UNIT_SECONDS[unit] * 1000,
        );
        return tallyOf(count, requests, leftMs);
      }),
    );
    return within(counted, this.#timeoutMs);
  }
}

async function within<Value>(promise: Promise<Value>, ms: number): Promise<Value> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new Error(`Redis did not answer within ${ms} ms`)), ms);
  });
  try {
    return await Promise.race([promise, late]);
  } finally {
    clearTimeout(timer);
  }
}
