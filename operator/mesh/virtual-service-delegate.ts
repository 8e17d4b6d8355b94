import type { HttpMatch, HttpRule } from './route-rule.ts';
import type { VirtualServiceFacts } from './virtual-service-facts.ts';
import { buildHttpRule, type HttpRuleFacts, type HttpSettings } from './virtual-service-http.ts';
import { mergeMatches } from './virtual-service-match-merge.ts';
import { isVisibleTo } from './visibility.ts';

/** An HTTP rule as proxies follow it, and the path of the rule in the VirtualService that has the hosts. */
export interface PlacedRule {
  readonly field: string;
  readonly rule: HttpRule;
}

/** What a rule that delegates comes to. */
export interface Delegation {
  readonly rules: readonly PlacedRule[];
  /** Why the delegate, or some of its rules, can't be used and how to mend it; in full sentences. */
  readonly problem?: string;
}

/** Fields of a delegate that a message names; of more it says how many. */
const NAMED = 3;

/**
 * Puts the rules of a delegate in the place of the rule that delegates to it. Where the delegate can't be used, the rule answers 503, so
 * that nothing else takes its requests.
 * @param root the VirtualService that delegates
 * @param rule its rule, whose action is to delegate
 * @param delegate the VirtualService it names; undefined when there is none
 */
export function mergeDelegate(
  root: VirtualServiceFacts,
  rule: HttpRuleFacts,
  name: string,
  delegate: VirtualServiceFacts | undefined,
): Delegation {
  const refusal = refuse(root, name, delegate);
  if (delegate === undefined || refusal !== undefined) return { rules: [unavailable(rule)], problem: refusal ?? '' };
  const rules: PlacedRule[] = [];
  const contradicting: string[] = [];
  for (const part of delegate.http) {
    const matches = mergeMatches(rule.matches, part.matches);
    // Delegates of delegates are refused when they are read.
    if (part.action.kind === 'delegate') continue;
    if (matches === undefined) contradicting.push(part.field);
    else rules.push({ field: rule.field, rule: mergeRule(rule, part, part.action, matches) });
  }
  if (contradicting.length === 0) return { rules };
  const places = nameSome(contradicting);
  const ignored = contradicting.length === 1 ? 'it is ignored' : 'they are ignored';
  const problem =
    `no request that ${rule.field}.match takes can be told to be one of ${places} in VirtualService ${name}; ${ignored}. ` +
    'Make each match of the delegate narrower than one of this rule.';
  if (rules.length > 0) return { rules, problem };
  return { rules: [unavailable(rule)], problem: `${problem} Requests that match this rule are answered 503.` };
}

/** The first few of a list, and how many more there are. */
export function nameSome(names: readonly string[]): string {
  const rest = names.length - NAMED;
  const first = names.slice(0, NAMED).join(', ');
  return rest > 0 ? `${first} and ${rest} more` : first;
}

function refuse(
  root: VirtualServiceFacts,
  name: string,
  delegate: VirtualServiceFacts | undefined,
): string | undefined {
  const consequence = 'Requests that match this rule are answered 503.';
  if (delegate === undefined) return `there is no VirtualService ${name}; create it, or name another. ${consequence}`;
  if (delegate.key === root.key)
    return `must not name the VirtualService itself; name one without hosts. ${consequence}`;
  if (delegate.role === 'invalid') return `VirtualService ${name} is not valid; see its status. ${consequence}`;
  if (delegate.role !== 'delegate') {
    const cycle = delegate.delegates.includes(root.key) ? ' and delegates back to this one' : '';
    return `VirtualService ${name} has hosts${cycle}; a delegate has none. Remove them, or name another. ${consequence}`;
  }
  if (isVisibleTo(delegate.visibility, root.ref.namespace)) return undefined;
  return `VirtualService ${name} is not exported to namespace ${root.ref.namespace}; add it to spec.exportTo there. ${consequence}`;
}

function unavailable({ field, name, matches }: HttpRuleFacts): PlacedRule {
  return { field, rule: buildHttpRule(name, matches, { kind: 'respond', status: 503 }, {}) };
}

/** What the delegate's rule does not say is as the root's rule has it. */
function mergeRule(
  root: HttpRuleFacts,
  part: HttpRuleFacts,
  action: HttpRule['action'],
  matches: HttpMatch[],
): HttpRule {
  const names = [root.name, part.name].filter((name) => name !== '');
  const { mirror, mirrors, ...inherited } = root.settings;
  const mirroring = part.settings.mirror === undefined && part.settings.mirrors === undefined;
  const copies = { ...(mirror && { mirror }), ...(mirrors && { mirrors }) };
  const settings: HttpSettings = { ...inherited, ...(mirroring ? copies : {}), ...part.settings };
  return buildHttpRule(names.join('-'), matches, action, settings);
}
