/** What one instance of the shop is told by its environment. */
export interface Settings {
  readonly role: Role;
  /** Name of the release; every answer carries it. */
  readonly version: string;
  readonly port: number;
  /** URL of the service this one calls; undefined at the end of the chain. */
  readonly next: string | undefined;
  /** Share of requests answered 500, 0 to 1. */
  readonly errorRate: number;
  /** Time added to every answer. */
  readonly delayMs: number;
  /** How long requests are still served after SIGTERM. */
  readonly drainMs: number;
  /** Requests per second of the load generator. */
  readonly rate: number;
}

const ROLES = ['ui', 'ordering', 'inventory', 'load'] as const;
export type Role = (typeof ROLES)[number];

const NEXT: Readonly<Record<Role, string | undefined>> = {
  load: 'http://ui',
  ui: 'http://ordering',
  ordering: 'http://inventory',
  inventory: undefined,
};

/**
 * Reads ROLE, VERSION, PORT, NEXT, ERROR_RATE, DELAY_MS, DRAIN_SECONDS and RATE.
 * @throws {Error} naming the variable that is wrong
 */
export function readSettings(env: Readonly<Record<string, string | undefined>>): Settings {
  const role = ROLES.find((name) => name === env.ROLE);
  if (role === undefined) throw new Error(`ROLE must be one of ${ROLES.join(', ')}`);
  return {
    role,
    version: env.VERSION ?? 'v1',
    port: readNumber(env, 'PORT', 8080, 65_535),
    next: env.NEXT ?? NEXT[role],
    errorRate: readNumber(env, 'ERROR_RATE', 0, 1),
    delayMs: readNumber(env, 'DELAY_MS', 0, 60_000),
    drainMs: readNumber(env, 'DRAIN_SECONDS', 5, 300) * 1000,
    rate: readNumber(env, 'RATE', 50, 10_000),
  };
}

function readNumber(
  env: Readonly<Record<string, string | undefined>>,
  name: string,
  fallback: number,
  max: number,
): number {
  const value = Number(env[name] ?? fallback);
  if (!(value >= 0 && value <= max)) throw new Error(`${name} must be a number from 0 to ${max}`);
  return value;
}
