import type { ObjectRef } from '../../operator/mesh/object-ref.ts';
import { RETRIES } from '../../operator/xds/retry-policies.ts';
import { redactPath } from '../tap/redact.ts';
import { paint } from '../terminal/colour.ts';
import type { PolicySay } from './authorization.ts';
import type { Explanation } from './explain-call.ts';
import type { Outcome } from './outcome.ts';
import type { Report } from './report.ts';
import type { RouteChoice } from './route-choice.ts';

const LABEL_WIDTH = 11;

/** An explanation in words for a terminal. */
export function formatReport({ from, to, explanation, live, notes }: Report): string {
  const { service, outcomes, choice, passed } = explanation;
  const identity = from.identity === undefined ? 'no sidecar, and so no identity' : `identity ${from.identity}`;
  const kind = service === undefined ? '' : ` (${service.hostname})`;
  return [
    `${from.pod} → ${to.text}`,
    verdictLine(explanation),
    '',
    ...entry('caller', [`pod ${from.pod}, ${identity}`]),
    ...entry('called', [`${to.host}:${to.port}${kind}, as ${explanation.protocol === 'http' ? 'HTTP' : 'opaque TCP'}`]),
    ...entry('route', routeLines(explanation, choice)),
    ...entry(
      'before it',
      passed.map(({ rule, mismatches }) => `${rule} does not match: ${mismatches.join('; or ')}`),
    ),
    ...entry('goes to', outcomes.flatMap(outcomeLines)),
    ...entry('note', [...notes, ...explanation.notes]),
    ...entry(
      'live',
      live.map(({ ok, text }) => `${ok ? paint('green', '✓') : paint('yellow', '!')} ${text}`),
    ),
  ].join('\n');
}

function entry(label: string, lines: readonly string[]): string[] {
  return lines.map((line, index) => `${(index === 0 ? label : '').padEnd(LABEL_WIDTH)}${line}`);
}

function verdictLine({ verdict, outcomes }: Explanation): string {
  const bad = outcomes.filter(({ end }) => end !== 'application' && end !== 'outside');
  const [first] = bad;
  const why = first === undefined ? '' : `: ${endOf(first)}`;
  switch (verdict) {
    case 'passes':
      return `${paint('green', 'PASSES')}${why}`;
    case 'refused':
      return `${paint('red', 'REFUSED')}${why}`;
    case 'unknown':
      return `${paint('yellow', 'DEPENDS')}${why}`;
    default:
      return `${paint('yellow', 'PASSES IN PART')}: ${bad.map((one) => `${percent(one.percent)} ${endOf(one)}`).join('; ')}`;
  }
}

function endOf({ end, status, at, message, reason }: Outcome): string {
  if (end === 'application') return 'the application answers';
  if (end === 'outside') return `it leaves the mesh${message === undefined ? '' : ` (${message})`}`;
  const who = at === 'client' ? "the caller's sidecar" : "the server's sidecar";
  const answer = status === undefined ? 'closes the connection' : `answers ${status}`;
  const says =
    end === 'asked' ? '' : reason === 'mtls' ? 'the connection between the sidecars fails: ' : `${who} ${answer}: `;
  return `${says}${message ?? ''}`;
}

function routeLines({ service, outcomes }: Explanation, choice: RouteChoice | undefined): string[] {
  if (choice === undefined) return [];
  const { rule, object, name, pinned } = choice;
  if (object === undefined) return [`none: all goes to ${service?.hostname ?? 'the service'}`];
  const lines = [`${nameOf(object)}, rule ${name}`];
  if (pinned) lines.push('the Canary has put the request on one side by its match or cookie');
  const { timeoutMs, retries, fault, rewrite, mirrors } = rule;
  if (timeoutMs !== undefined && timeoutMs > 0) lines.push(`timeout ${timeoutMs} ms`);
  lines.push(
    retries === undefined
      ? `retries by the mesh's default: ${RETRIES}, where the application was not reached`
      : `retries ${retries.attempts}${retries.retryOn === undefined ? '' : ` on ${retries.retryOn}`}`,
  );
  if (fault?.delay !== undefined) lines.push(`fault: ${fault.delay.percent}% wait ${fault.delay.fixedMs} ms`);
  if (fault?.abort !== undefined)
    lines.push(
      `fault: ${fault.abort.percent}% are answered ${fault.abort.httpStatus ?? `gRPC status ${fault.abort.grpcStatus}`}`,
    );
  const sent = choice.shares[0]?.request;
  if (rewrite !== undefined && sent !== undefined) lines.push(`rewritten to ${sent.authority}${redactPath(sent.path)}`);
  for (const { hostname, subset, percent: share } of mirrors)
    lines.push(`${share}% are copied to ${hostname}${subset === undefined ? '' : `, subset ${subset}`}`);
  return outcomes.length === 0 ? [] : lines;
}

function outcomeLines(outcome: Outcome): string[] {
  const { backend } = outcome;
  const head = `${percent(outcome.percent).padStart(4)} `;
  if (backend === undefined) return [`${head}${endOf(outcome)}`];
  const { hostname, port, subset, revision, endpoints, security, server } = backend;
  const parts = [subset === '' ? '' : `, subset ${subset}`, revision === '' ? '' : `, revision ${revision}`].join('');
  const lines = [`${head}${hostname}:${port}${parts}: ${endOf(outcome)}`];
  const shown = endpoints.slice(0, 5).join(', ');
  if (endpoints.length > 0)
    lines.push(
      `     ${endpoints.length} ${endpoints.length === 1 ? 'endpoint' : 'endpoints'}: ${shown}${endpoints.length > 5 ? ', …' : ''}`,
    );
  const mode =
    server.mode === undefined
      ? 'the endpoint has no sidecar'
      : `the server takes ${server.mode}${byWhom(server.modePolicies)}`;
  if (endpoints.length > 0)
    lines.push(
      `     hop: ${{ mtls: 'mutual TLS', tls: "TLS of the DestinationRule's", plaintext: 'plaintext' }[security]}; ${mode}`,
    );
  return [...lines, ...policyLines(outcome).map((line) => `     ${line}`)];
}

function policyLines({ backend }: Outcome): string[] {
  const { authorization, tokens, rateLimits = [] } = backend?.server ?? {};
  const lines: string[] = [];
  if (authorization?.decidedBy !== undefined) lines.push(`authorization: ${sayOf(authorization.decidedBy)}`);
  else if (authorization !== undefined && authorization.unmatched.length === 0)
    lines.push('authorization: no policy stands in the way');
  for (const say of authorization?.unmatched ?? []) {
    const rules = say.mismatches ?? [];
    lines.push(`authorization: ${nameOf(say.policy)} (ALLOW) does not match`);
    for (const [index, mismatch] of rules.entries()) lines.push(`  rule ${index}: ${mismatch}`);
    if (rules.length === 0) lines.push('  it has no rules, and so allows nothing');
  }
  for (const say of authorization?.asks ?? []) lines.push(`authorization: ${sayOf(say)}, and asks ${say.provider}`);
  for (const say of authorization?.dryRun ?? []) lines.push(`dry run: ${dryRunSay(say)}`);
  if (tokens !== undefined && tokens.policies.length > 0) {
    const found =
      tokens.refused?.reason ??
      (tokens.claims === undefined
        ? 'the request has none, which these allow'
        : `of ${tokens.claims.iss}/${tokens.claims.sub}`);
    lines.push(`token: ${found} (${tokens.policies.map(nameOf).join(', ')})`);
  }
  if (rateLimits.length > 0) lines.push(`rate limits that may count it: ${rateLimits.map(nameOf).join(', ')}`);
  return lines;
}

function dryRunSay(say: PolicySay): string {
  if (say.rule !== undefined) return sayOf(say);
  const rules = (say.mismatches ?? []).map((mismatch, index) => `rule ${index}: ${mismatch}`);
  return `${nameOf(say.policy)} (ALLOW) would deny it, as none of its rules matches: ${rules.join('; ') || 'it has none'}`;
}

function sayOf({ policy, action, rule }: PolicySay): string {
  return `rule ${rule} of ${nameOf(policy)} (${action}) matches`;
}

function byWhom(policies: readonly ObjectRef[]): string {
  return policies.length === 0 ? ' by default' : ` by ${policies.map(nameOf).join(', ')}`;
}

/** `AuthorizationPolicy shop/deny`. */
export function nameOf({ kind, namespace, name }: ObjectRef): string {
  return `${kind} ${namespace}/${name}`;
}

function percent(value: number): string {
  return `${Math.round(value * 10) / 10}%`;
}
