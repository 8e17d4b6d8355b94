import { spawnSync } from 'node:child_process';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { buildCallerBounds } from '../caller-bounds.ts';
import { readResolvers } from '../dns-redirect.ts';
import { buildRedirectRules } from '../redirect.ts';
import { parseRedirectOptions, REDIRECT_ENV } from '../redirect-options.ts';
import { FILES_MOUNT_PATH, formatRefusalBudget, REFUSAL_BUDGET_PATH } from '../refusal-budget.ts';

const RESOLV_CONF = '/etc/resolv.conf';

/**
 * Entry point of the init container: writes the sidecar's file, loads the redirection table in one transaction, then what bounds callers, and exits.
 * Options come as JSON in the environment variable HEDDLE_REDIRECT or in the first argument; needs NET_ADMIN and the `nft` command.
 */
function run(): string | undefined {
  let rules: string;
  try {
    const options = parseRedirectOptions(process.argv[2] ?? process.env[REDIRECT_ENV] ?? '{}');
    const resolvers = options.captureDnsOutside === '' ? [] : readResolvers(readFileSync(RESOLV_CONF, 'utf8'));
    rules = buildRedirectRules(options, resolvers);
  } catch (error) {
    return `cannot make rules of ${REDIRECT_ENV}: ${error instanceof Error ? error.message : String(error)}`;
  }
  return load(rules, 'the redirection rules');
}

/** Gives what is wrong, where nft does not take the rules. */
function load(rules: string, what: string): string | undefined {
  const nft = spawnSync('nft', ['-f', '-'], { input: rules, encoding: 'utf8', timeout: 20_000 });
  if (nft.error) return `cannot run nft: ${nft.error.message}`;
  if (nft.status === 0) return undefined;
  const detail = nft.stderr.trim().split('\n').slice(0, 3).join(' | ');
  const hint = /not permitted/i.test(detail) ? ' (the container needs the capability NET_ADMIN)' : '';
  return `nft refused ${what}${hint}: ${detail || `exit status ${nft.status ?? nft.signal}`}`;
}

/** Not there where somebody runs this by hand. */
function writeFiles(): void {
  if (existsSync(FILES_MOUNT_PATH)) writeFileSync(REFUSAL_BUDGET_PATH, formatRefusalBudget());
}

writeFiles();
const problem = run();
if (problem) {
  console.error(`heddle-init: ${problem}`);
  process.exitCode = 1;
} else {
  console.log('heddle-init: redirection rules loaded');
  const unbounded = load(buildCallerBounds(), 'to bound connections by address, which needs nft_connlimit');
  if (unbounded) console.warn(`heddle-init: ${unbounded}`);
}
