import { isDeepStrictEqual } from 'node:util';
import { CANARY_KIND } from '../../api/canary.ts';
import type { AckReport, ProxyReport } from '../ads/ack-report.ts';
import type { Coverage } from '../canary/observation.ts';
import type { AddressQuery, MeshPort, SplitQuery } from '../canary/ports.ts';
import { type ObjectKey, objectKey } from '../mesh/object-ref.ts';
import { isHttp } from '../mesh/protocol.ts';
import type { MeshSnapshot, RevisionSplit } from '../mesh/snapshot.ts';
import type { PolicyCarriers } from '../xds/policy-carriers.ts';
import { askForAll } from './ask-for-all.ts';
import { CallerRoll } from './caller-roll.ts';

/** Who is yet to acknowledge a split. Whoever has done so never goes back to an older one, so that only these are asked again. */
interface Stragglers {
  /** The same Canary's splits of other Services. */
  readonly others: readonly RevisionSplit[];
  callers: number;
  readonly behind: Set<string>;
  /** When the newest of the callers connected, in ms since the epoch. */
  readonly newest: number;
}

/**
 * Tells how far a split has got: of the connected sidecars, those that have acknowledged it in every resource in which it stands for them
 * (routes of other hosts lead to its Services, too), once the newest snapshot shows the split. Sidecars of the target itself do not
 * count as callers.
 */
export class SplitCoverage implements MeshPort {
  readonly #snapshot: () => MeshSnapshot;
  readonly #acks: AckReport;
  readonly #carriers: PolicyCarriers;
  readonly #roll: CallerRoll;
  /** By the split that they are behind on. */
  readonly #straggling = new WeakMap<RevisionSplit, Stragglers>();

  constructor(snapshot: () => MeshSnapshot, acks: AckReport, carriers: PolicyCarriers) {
    this.#snapshot = snapshot;
    this.#acks = acks;
    this.#carriers = carriers;
    this.#roll = new CallerRoll(snapshot, acks);
  }

  coverage(query: SplitQuery): Coverage {
    return this.#covered(query, (split) => hasSide(split, query));
  }

  addressed(query: AddressQuery): Coverage {
    return this.#covered(query, ({ next, weight }) => next === query.next && weight === 100);
  }

  /** @param isAsked whether a split of the Canary is as it is to be */
  #covered(query: AddressQuery, isAsked: (split: RevisionSplit) => boolean): Coverage {
    const snapshot = this.#snapshot();
    const [first, ...others] = shownSplits(snapshot, query, isAsked);
    if (first === undefined) {
      const isWorthAsking = (): boolean => shownSplits(this.#snapshot(), query, isAsked).length > 0;
      return { callers: this.#roll.count(query), acknowledged: 0, isWorthAsking };
    }
    const canary = objectKey({ kind: CANARY_KIND, namespace: query.namespace, name: query.canary });
    const has = askForAll(this.#carriers, canary);
    const found = this.#straggling.get(first);
    const known = found && found.callers > 0 && isDeepStrictEqual(found.others, others) ? found : undefined;
    if (known) this.#follow(known, query, has);
    const { callers, behind } = known ?? this.#scan(first, others, query, has);
    return {
      callers,
      acknowledged: callers - behind.size,
      isWorthAsking: (uids) => this.#haveAll(behind, uids, canary),
    };
  }

  /** Whether none is behind any more, now that some have acknowledged something; or one of them is gone. */
  #haveAll(behind: Set<string>, uids: ReadonlySet<string>, canary: ObjectKey): boolean {
    let has: ((report: ProxyReport) => boolean) | undefined;
    for (const uid of uids) {
      if (!behind.has(uid)) continue;
      const report = this.#acks.proxy(uid);
      if (report?.connected !== true) return true;
      has ??= askForAll(this.#carriers, canary);
      if (has(report)) behind.delete(uid);
    }
    return behind.size === 0;
  }

  /** Asks all callers. */
  #scan(
    first: RevisionSplit,
    others: readonly RevisionSplit[],
    query: AddressQuery,
    has: (report: ProxyReport) => boolean,
  ): Stragglers {
    const reports = this.#roll.callers(query);
    const behind = new Set(reports.filter((report) => !has(report)).map(({ identity }) => identity.uid));
    const newest = reports.reduce((latest, { connectedAt }) => Math.max(latest, connectedAt), 0);
    const scanned = { others, callers: reports.length, behind, newest };
    this.#straggling.set(first, scanned);
    return scanned;
  }

  /** Asks those again that were behind, and once none is any more, those that have come since. */
  #follow(known: Stragglers, query: AddressQuery, has: (report: ProxyReport) => boolean): void {
    for (const uid of known.behind) {
      const report = this.#acks.proxy(uid);
      if (report?.connected === true && !has(report)) continue;
      known.behind.delete(uid);
      if (report?.connected !== true) known.callers--;
    }
    if (known.behind.size > 0) return;
    for (const report of this.#roll.callers(query)) {
      if (!(report.connectedAt >= known.newest) || has(report)) continue;
      known.behind.add(report.identity.uid);
      known.callers++;
    }
  }

  carriesHttp(hostnames: readonly string[]): boolean | undefined {
    const { services } = this.#snapshot();
    const ports = hostnames.flatMap((hostname) => services.get(hostname)?.ports ?? []);
    return ports.length === 0 ? undefined : ports.some(({ protocol }) => isHttp(protocol));
  }
}

/**
 * The splits of a Canary, when in the snapshot all are as is asked for; else none. A Service has one split, so one that an older Canary splits (it is
 * over several Deployments) carries nothing of this one, and is passed over.
 */
function shownSplits(
  { services }: MeshSnapshot,
  query: AddressQuery,
  isAsked: (split: RevisionSplit) => boolean,
): readonly RevisionSplit[] {
  const shown: RevisionSplit[] = [];
  for (const hostname of query.services) {
    const split = services.get(hostname)?.split;
    if (split === undefined) return [];
    if (split.canary.name !== query.canary || split.canary.namespace !== query.namespace) continue;
    if (split.stable !== query.stable || !isAsked(split)) return [];
    shown.push(split);
  }
  return shown;
}

/** A split without endpoints of the new revision sends it nothing, whatever its weight. */
function hasSide(
  { next, weight, asked, terms }: RevisionSplit,
  { next: wanted, side, terms: key }: SplitQuery,
): boolean {
  if (next !== wanted) return side.weight === 0 && !side.matched && side.mirror === 0;
  if ((asked ?? weight) !== side.weight || (terms?.mirror ?? 0) !== side.mirror) return false;
  if ((terms?.matches.length ?? 0) > 0 !== side.matched) return false;
  // By weight alone there are none, and cookies and hashes mean nothing without one.
  const isTermed = side.matched || side.mirror > 0 || (side.weight > 0 && key !== '');
  return isTermed ? terms?.key === key : terms === undefined;
}
