import type { DestinationPolicy, SubsetPolicy, TrafficPolicy } from './destination-policy.ts';
import { HostBuckets } from './host-buckets.ts';
import { byAge } from './mesh-object.ts';
import type { ObjectKey } from './object-ref.ts';
import { type Labels, matchSelector } from './selector.ts';
import type { MeshService } from './snapshot.ts';
import { SortedGroup } from './sorted-group.ts';
import { isVisibleTo } from './visibility.ts';

const NONE: TrafficPolicy = {};

/** What of a client decides over which rules apply to it. */
export interface PolicyClient {
  readonly namespace: string;
  readonly labels: Labels;
}

/** What of a service decides over which rules apply to it. */
export type PolicyService = Pick<MeshService, 'hostname' | 'namespace'>;

/** How the DestinationRules come out for some clients and a service. The same object as long as the rules that took part stay the same. */
export interface SelectedPolicy {
  /** Rules that took part, the one that speaks first in front; equal keys, and equal rules, make for an equal outcome. */
  readonly keys: readonly ObjectKey[];
  /** For the service as a whole, and for its subsets where they say nothing. */
  readonly policy?: TrafficPolicy;
  /** By name. */
  readonly subsets: ReadonlyMap<string, SubsetPolicy>;
}

/** Rules of one namespace for one host, the oldest first, and what became of those combinations that were asked for. */
interface Bucket {
  readonly rules: SortedGroup<DestinationPolicy>;
  readonly merged: Map<string, SelectedPolicy>;
}

/**
 * Rules by namespace and host, kept up to date one at a time. A look-up costs the same however many rules there are.
 *
 * Order of look-up as in Istio: the client's namespace, the service's, the root namespace; in each the most specific host that covers the
 * service. Rules that are not for this client (`exportTo`, `workloadSelector`) count as if they were not there, so that a rule for a few pods
 * hides nothing from the others of its namespace. A selector holds in the rule's own namespace only.
 */
export class DestinationIndex {
  readonly #rules = new Map<ObjectKey, DestinationPolicy>();
  readonly #namespaces = new Map<string, HostBuckets<Bucket>>();
  /** Namespace → its rules with a selector. */
  readonly #selective = new Map<string, Map<ObjectKey, DestinationPolicy>>();

  /** Takes the newest state of a rule; undefined when it is gone. */
  set(key: ObjectKey, policy: DestinationPolicy | undefined): void {
    const before = this.#rules.get(key);
    if (before !== undefined) this.#unlink(before);
    if (policy === undefined) this.#rules.delete(key);
    else {
      this.#rules.set(key, policy);
      this.#link(policy);
    }
  }

  /** The newest state of a rule. */
  get(key: ObjectKey): DestinationPolicy | undefined {
    return this.#rules.get(key);
  }

  /**
   * The rules that apply to this client and service, merged.
   * @returns undefined when there are none
   */
  select(client: PolicyClient, service: PolicyService, rootNamespace: string): SelectedPolicy | undefined {
    const own = this.#find(client.namespace, service, (rule) => appliesAtHome(rule, client, rootNamespace));
    if (own !== undefined) return own;
    // Of all others only those without a selector, or of the client's own namespace, where the selector matches.
    const exported = (rule: DestinationPolicy) =>
      isVisibleTo(rule.visibility, client.namespace) &&
      (isBlanket(rule) || (rule.object.namespace === client.namespace && matchSelector(rule.clients, client.labels)));
    const ofService = service.namespace === client.namespace && client.namespace !== rootNamespace;
    return (
      (ofService ? undefined : this.#find(service.namespace, service, exported)) ??
      (service.namespace === rootNamespace ? undefined : this.#find(rootNamespace, service, exported))
    );
  }

  /** Rules with a selector that matches the client, in order of key. Clients of a namespace for which this is equal are alike for every service. */
  selectiveRules({ namespace, labels }: PolicyClient): ObjectKey[] {
    const rules = this.#selective.get(namespace)?.values() ?? [];
    const keys: ObjectKey[] = [];
    for (const { key, clients } of rules) if (matchSelector(clients, labels)) keys.push(key);
    return keys.sort();
  }

  #find(
    namespace: string,
    { hostname }: PolicyService,
    applies: (rule: DestinationPolicy) => boolean,
  ): SelectedPolicy | undefined {
    for (const bucket of this.#namespaces.get(namespace)?.covering(hostname) ?? []) {
      const rules = inOrder(bucket.rules.list.filter(applies));
      if (rules.length === 0) continue;
      const identity = rules.map(({ key }) => key).join(' ');
      const known = bucket.merged.get(identity);
      if (known !== undefined) return known;
      const merged = merge(rules);
      bucket.merged.set(identity, merged);
      return merged;
    }
    return undefined;
  }

  #link(rule: DestinationPolicy): void {
    const { namespace } = rule.object;
    const hosts = this.#namespaces.get(namespace) ?? new HostBuckets<Bucket>();
    this.#namespaces.set(namespace, hosts);
    const bucket = hosts.get(rule.host) ?? { rules: new SortedGroup<DestinationPolicy>(byAge), merged: new Map() };
    hosts.set(rule.host, bucket);
    bucket.rules.put(rule);
    bucket.merged.clear();
    if (isBlanket(rule)) return;
    const selective = this.#selective.get(namespace) ?? new Map<ObjectKey, DestinationPolicy>();
    this.#selective.set(namespace, selective.set(rule.key, rule));
  }

  #unlink(rule: DestinationPolicy): void {
    const { namespace } = rule.object;
    const hosts = this.#namespaces.get(namespace);
    const bucket = hosts?.get(rule.host);
    bucket?.rules.delete(rule.key);
    bucket?.merged.clear();
    if (bucket?.rules.size === 0) hosts?.set(rule.host, undefined);
    if (hosts?.isEmpty === true) this.#namespaces.delete(namespace);
    const selective = this.#selective.get(namespace);
    selective?.delete(rule.key);
    if (selective?.size === 0) this.#selective.delete(namespace);
  }
}

/** In its own namespace a rule holds whatever `exportTo` says; in the root namespace only one that is for nobody else goes before the service's. */
function appliesAtHome(rule: DestinationPolicy, { namespace, labels }: PolicyClient, rootNamespace: string): boolean {
  if (!isBlanket(rule)) return matchSelector(rule.clients, labels);
  if (namespace !== rootNamespace) return true;
  return rule.visibility !== '*' && rule.visibility.length === 1 && rule.visibility[0] === namespace;
}

function isBlanket({ clients }: DestinationPolicy): boolean {
  return Object.keys(clients).length === 0;
}

/** Those with the selector of the oldest one that has any, then those without; other selectors that match too lose. */
function inOrder(rules: readonly DestinationPolicy[]): DestinationPolicy[] {
  const first = rules.find((rule) => !isBlanket(rule));
  const winners = first === undefined ? [] : rules.filter(({ clients }) => sameLabels(clients, first.clients));
  return [...winners, ...rules.filter(isBlanket)];
}

function sameLabels(a: Labels, b: Labels): boolean {
  const names = Object.keys(a);
  return names.length === Object.keys(b).length && names.every((name) => Object.hasOwn(b, name) && a[name] === b[name]);
}

/** Of each subset, and of the policy for the whole, the first that is there. */
function merge(rules: readonly DestinationPolicy[]): SelectedPolicy {
  const subsets = new Map<string, SubsetPolicy>();
  for (const subset of rules.flatMap((rule) => rule.subsets)) {
    if (!subsets.has(subset.name)) subsets.set(subset.name, subset);
  }
  const policy = rules.find((rule) => rule.policy !== undefined)?.policy;
  return { keys: rules.map(({ key }) => key), subsets, ...(policy === undefined ? {} : { policy }) };
}

/**
 * The traffic policy for a port of a service. As in Istio, what `portLevelSettings` say of a port takes the place of all that stands beside
 * them; what they leave out has its default. Fields of the subset's policy take the place of the service's, one by one.
 * @param subset name of the subset; undefined, or one that nobody defines: the service as a whole
 * @param port number of the service's port
 * @returns a policy without `portLevelSettings`
 */
export function effectivePolicy(
  selected: SelectedPolicy | undefined,
  subset: string | undefined,
  port: number,
): TrafficPolicy {
  if (selected === undefined) return NONE;
  const base = atPort(selected.policy, port).policy;
  const own = subset === undefined ? undefined : selected.subsets.get(subset)?.policy;
  if (own === undefined) return base;
  const { policy, ofPort } = atPort(own, port);
  if (!ofPort) return { ...base, ...policy };
  // A port has no such settings of its own, so the service's stay.
  const { connectionPool: _pool, loadBalancer: _balancer, outlierDetection: _detection, tls: _tls, ...rest } = base;
  return { ...rest, ...policy };
}

function atPort(
  policy: TrafficPolicy | undefined,
  port: number,
): { readonly policy: TrafficPolicy; readonly ofPort: boolean } {
  if (policy === undefined) return { policy: NONE, ofPort: false };
  const { portLevelSettings = [], ...whole } = policy;
  const level = portLevelSettings.find((one) => one.port?.number === port);
  if (level === undefined) return { policy: defined(whole), ofPort: false };
  const { port: _port, ...settings } = level;
  return { policy: defined(settings), ofPort: true };
}

/** Without fields that are there and say nothing, for they would hide what others say. */
function defined(policy: TrafficPolicy): TrafficPolicy {
  return Object.fromEntries(Object.entries(policy).filter(([, value]) => value !== undefined));
}
