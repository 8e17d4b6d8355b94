/** Counters of policies in dry run; their names, or labels, have what `dryRunToken` and `dryRunLimitsToken` give. */
const DECISION = /shadow_(allowed|denied)$/;
const LIMITED = /\.(ok|rate_limited|over_limit)$/;
const ALLOWED = ['allowed', 'ok'];
const TOKEN = /dry_run\/[^.\p{Cc}]+/u;
/** A key of theirs begins so, which no encoded labels do. */
const KEY = /^(dry_run\/\S+) (allowed|denied) /;

/** What a policy in dry run would have come to. */
export interface DryRun {
  readonly policy: string;
  readonly denied: boolean;
}

/** Whether a family of metrics counts such things. */
export function isDryRunFamily(name: string): boolean {
  return outcomeOf(name) !== undefined;
}

/** What a family counts; its name may be as long as a message, and full of anything. */
function outcomeOf(family: string): string | undefined {
  const decision = DECISION.exec(family)?.[1];
  if (decision !== undefined) return decision;
  const limited = LIMITED.exec(family);
  if (limited === null) return undefined;
  const before = family.slice(0, limited.index);
  return before.endsWith('http_local_rate_limit') || before.includes('ratelimit.') ? limited[1] : undefined;
}

/**
 * The key of a series of such a family.
 * @param labels encoded
 * @returns undefined when it is of no policy
 */
export function dryRunKey(family: string, labels: string): string | undefined {
  const said = outcomeOf(family);
  const outcome = said && (ALLOWED.includes(said) ? 'allowed' : 'denied');
  const policy = TOKEN.exec(`${family}\n${labels}`)?.[0];
  return outcome === undefined || policy === undefined ? undefined : `${policy} ${outcome} ${family} ${labels}`;
}

/** Reads such a key; undefined for any other. */
export function readDryRun(key: string): DryRun | undefined {
  const [, policy, outcome] = KEY.exec(key) ?? [];
  return policy === undefined ? undefined : { policy, denied: outcome === 'denied' };
}
