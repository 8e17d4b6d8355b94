import type { DestinationPolicy } from '../mesh/destination-policy.ts';
import type { RouteRule, SourceMatch } from '../mesh/route-rule.ts';
import type { MeshService } from '../mesh/snapshot.ts';
import type { Visibility } from '../mesh/visibility.ts';
import { callerPosition } from './caller-side.ts';

/** What of a client one object asks for. */
interface Marks {
  readonly namespaces: readonly string[];
  readonly labels: readonly string[];
  /** Its identity. */
  readonly principals?: true;
}

/**
 * Keeps account of which namespaces, labels and identities of clients make any difference to what they are sent. All other clients are alike, and share
 * everything, however many there are.
 */
export class Distinctions {
  private readonly marks = new Map<string, Marks>();
  private readonly namespaceCounts = new Map<string, number>();
  private readonly labelCounts = new Map<string, number>();
  /** Names of the labels that matter, in order. */
  private labels: readonly string[] = [];
  /** Objects that ask for identities. */
  private principals = 0;
  /** Goes up whenever a client may be told from others in another way than before. */
  epoch = 0;

  setService(service: MeshService | undefined, key: string): void {
    const own = service?.kind === 'Entry' ? [service.namespace] : [];
    const { matches = [], stickiness } = service?.split?.terms ?? {};
    const labels = matches.flatMap(({ source }) => Object.keys(source?.labels ?? {}));
    const principals = stickiness?.kind === 'principal' ? { principals: true as const } : {};
    const namespaces = [...own, ...listed(service?.visibility ?? '*')];
    this.put(`service ${key}`, service && { namespaces, labels, ...principals });
  }

  setRule(rule: RouteRule | undefined, key: string): void {
    const sources = rule === undefined ? [] : sourcesOf(rule);
    const named = sources.flatMap(({ namespace }) => (namespace === undefined ? [] : [namespace]));
    this.put(
      key,
      rule && {
        namespaces: [...listed(rule.visibility), ...named],
        labels: sources.flatMap(({ labels }) => Object.keys(labels)),
      },
    );
  }

  setPolicy(policy: DestinationPolicy | undefined, key: string): void {
    this.put(
      key,
      policy && {
        // The rules of the client's own namespace come before all others.
        namespaces: [policy.object.namespace, ...listed(policy.visibility)],
        labels: Object.keys(policy.clients),
      },
    );
  }

  /** The namespace as far as it makes a difference, else ''. */
  audience(namespace: string): string {
    return this.namespaceCounts.has(namespace) ? namespace : '';
  }

  /** Those of the labels that make a difference, in a fixed order. */
  relevantLabels(labels: Readonly<Record<string, string>>): Record<string, string> {
    const relevant: [string, string][] = [];
    for (const name of this.labels) {
      const value = Object.hasOwn(labels, name) ? labels[name] : undefined;
      if (value !== undefined) relevant.push([name, value]);
    }
    return Object.fromEntries(relevant);
  }

  /** Where the identity stands among all callers, as far as it makes a difference. @param spiffeId undefined: it has none */
  position(spiffeId: string | undefined): number | undefined {
    return this.principals === 0 || spiffeId === undefined ? undefined : callerPosition(spiffeId);
  }

  private put(key: string, after: Marks | undefined): void {
    const before = this.marks.get(key);
    if (after !== undefined && (after.namespaces.length + after.labels.length > 0 || after.principals === true))
      this.marks.set(key, after);
    else this.marks.delete(key);
    // First what comes, so that what stays is never gone in between.
    this.count(after, 1);
    this.count(before, -1);
  }

  private count(marks: Marks | undefined, by: 1 | -1): void {
    let changed = false;
    for (const name of marks?.namespaces ?? []) changed = add(this.namespaceCounts, name, by) || changed;
    let labels = false;
    for (const name of marks?.labels ?? []) labels = add(this.labelCounts, name, by) || labels;
    if (labels) this.labels = [...this.labelCounts.keys()].sort();
    if (marks?.principals === true) {
      changed ||= this.principals === 0 || this.principals + by === 0;
      this.principals += by;
    }
    if (changed || labels) this.epoch += 1;
  }
}

/** Source conditions of all matches of a rule. */
export function sourcesOf({ http, tls, tcp }: RouteRule): SourceMatch[] {
  const matches = [...http, ...tls, ...tcp].flatMap(
    (rule): readonly { readonly source?: SourceMatch }[] => rule.matches,
  );
  return matches.flatMap(({ source }) => (source === undefined ? [] : [source]));
}

function listed(visibility: Visibility): readonly string[] {
  return visibility === '*' ? [] : visibility;
}

/** @returns true when the name is new, or gone */
function add(counts: Map<string, number>, name: string, by: 1 | -1): boolean {
  const before = counts.get(name) ?? 0;
  if (before + by === 0) counts.delete(name);
  else counts.set(name, before + by);
  return before === 0 || before + by === 0;
}
