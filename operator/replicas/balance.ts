/** A replica may have so much more than its share before it lets some go: where a connection leads is chance. */
const SLACK = 1.2;
/** Share of its proxies that a replica lets go at a time: streams move gradually. */
const STEP = 0.05;

/**
 * How many of its proxies a replica lets go now, for others to take.
 * @param own proxies with a stream here
 * @param others of each other replica that serves
 */
export function surplusOf(own: number, others: readonly number[]): number {
  if (others.length === 0) return 0;
  const mean = others.reduce((sum, count) => sum + count, own) / (others.length + 1);
  if (own <= Math.ceil(mean * SLACK)) return 0;
  return Math.min(Math.floor(own - mean), Math.max(1, Math.round(own * STEP)));
}

export interface BalancePorts {
  /** Proxies with a stream here. */
  own(): number;
  /** Those of each other replica that serves; undefined while one of them does not report here. */
  others(): readonly number[] | undefined;
  /** Ends the streams of so many proxies, which come back to any replica. */
  letGo(count: number): void;
}

/** Looks so often, in ms, somewhat apart from other replicas. */
const EVERY_MS = 5000;

/** Keeps proxies spread over the replicas: one that comes has none, and connections live long. */
export class Balance {
  private readonly ports: BalancePorts;
  private timer: NodeJS.Timeout | undefined;

  constructor(ports: BalancePorts) {
    this.ports = ports;
  }

  start(): void {
    this.timer = setTimeout(() => this.look(), EVERY_MS * (0.75 + Math.random() / 2)).unref();
  }

  stop(): void {
    clearTimeout(this.timer);
  }

  private look(): void {
    const others = this.ports.others();
    const surplus = others === undefined ? 0 : surplusOf(this.ports.own(), others);
    if (surplus > 0) this.ports.letGo(surplus);
    this.start();
  }
}
