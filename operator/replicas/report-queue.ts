import { ROOT_SECRET, WORKLOAD_SECRET } from '../../proxy/names.ts';
import type { ProxyReport } from '../ads/ack-report.ts';
import { ON_DEMAND_TYPES } from '../ads/names-ahead.ts';
import type { ProxyObserver } from '../ads/proxy-observer.ts';
import {
  CLUSTER_TYPE,
  ENDPOINT_TYPE,
  LISTENER_TYPE,
  ROUTE_TYPE,
  SECRET_TYPE,
  VIRTUAL_HOST_TYPE,
} from '../xds/resource.ts';
import { type InForce, NOTHING_TO_REPORT, type ReportMessage, type Term } from './report-message.ts';

/** What policies and weights stand in, and, for a rotation of the root, whose certificates there are. */
const TYPES = [CLUSTER_TYPE, ENDPOINT_TYPE, LISTENER_TYPE, ROUTE_TYPE, VIRTUAL_HOST_TYPE, SECRET_TYPE];
/** The mesh's own secrets; those of users are nobody's business. */
const SECRETS: ReadonlySet<string> = new Set([WORKLOAD_SECRET, ROOT_SECRET]);
/** What one message holds at most, so that none blocks the event loop, and all stay far below gRPC's bound. */
const MAX_TERMS = 2_000;
const MAX_METRICS_BYTES = 256 << 10;
/** Terms that are numbered before numbers begin anew: versions come and go. */
const MAX_NUMBERED = 500_000;
/** Bytes of metrics that wait for a replica that does not take them; counters are cumulative, so the next ones say it all. */
const MAX_WAITING_BYTES = 16 << 20;

/** Of one proxy, what is still to be told. */
interface Untold {
  state: boolean;
  rejections: boolean;
  /** Every name that it has; they are looked up when it is its turn, for there are thousands of each proxy. */
  all: boolean;
  readonly names: Map<string, Set<string>>;
}

/**
 * What one other replica has not been told yet of the proxies of this one. There is no list of events: a name is untold or it is not, and what is told
 * of it is the state when the message is made.
 */
export class ReportQueue implements ProxyObserver {
  /** Messages of metrics that were given up because too many waited. */
  dropped = 0;
  private readonly reportOf: (uid: string) => ProxyReport | undefined;
  private readonly untold = new Map<string, Untold>();
  /** By type, name and version. */
  private readonly numbers = new Map<string, Map<string, Map<string, number>>>();
  private numbered = 0;
  private readonly maxNumbered: number;
  private metricsWaiting: { uid: string; message: Uint8Array }[] = [];
  private metricsBytes = 0;
  private termsAnew = false;
  private wholeTold = false;

  /**
   * @param proxy gives what is known of a proxy now
   * @param maxNumbered terms that are numbered before numbers begin anew
   */
  constructor(proxy: (uid: string) => ProxyReport | undefined, maxNumbered = MAX_NUMBERED) {
    this.reportOf = proxy;
    this.maxNumbered = maxNumbered;
  }

  /** Proxies of which there is something to tell, and messages of metrics. */
  get waiting(): number {
    return this.untold.size + this.metricsWaiting.length;
  }

  /** @inheritDoc */
  proxy(uid: string, report: ProxyReport | undefined): void {
    const untold = this.of(uid);
    untold.state = true;
    untold.rejections = true;
    if (report?.connected === true) untold.all = true;
  }

  /** @inheritDoc */
  resources(uid: string, typeUrl: string, names: Iterable<string>): void {
    if (!TYPES.includes(typeUrl)) return;
    const untold = this.of(uid);
    untold.rejections = true;
    for (const name of names) addName(untold, typeUrl, name);
  }

  /** Takes an encoded `StreamMetricsMessage` of a proxy. */
  metrics(uid: string, message: Uint8Array): void {
    this.metricsWaiting.push({ uid, message });
    this.metricsBytes += message.length;
    while (this.metricsBytes > MAX_WAITING_BYTES) {
      this.metricsBytes -= this.metricsWaiting.shift()?.message.length ?? 0;
      this.dropped++;
    }
  }

  /** The next message; undefined when everything is told. */
  next(): ReportMessage | undefined {
    if (this.wholeTold && this.untold.size === 0 && this.metricsWaiting.length === 0) return undefined;
    const message = { ...NOTHING_TO_REPORT, ...this.nextOfProxies(), metrics: this.nextMetrics() };
    const whole = !this.wholeTold && this.untold.size === 0;
    if (whole) this.wholeTold = true;
    return { ...message, whole };
  }

  private nextOfProxies(): Pick<
    ReportMessage,
    'termsAnew' | 'terms' | 'states' | 'forgotten' | 'inForce' | 'rejections'
  > {
    if (this.numbered > this.maxNumbered) {
      this.numbers.clear();
      this.numbered = 0;
      this.termsAnew = true;
    }
    const { termsAnew } = this;
    this.termsAnew = false;
    const terms: Term[] = [];
    const states: ReportMessage['states'][number][] = [];
    const forgotten: string[] = [];
    const inForce: InForce[] = [];
    const rejections: ReportMessage['rejections'][number][] = [];
    let room = MAX_TERMS;
    for (const [uid, untold] of this.untold) {
      if (room <= 0) break;
      const report = this.reportOf(uid);
      room -= 1;
      if (report === undefined) {
        forgotten.push(uid);
        this.untold.delete(uid);
        continue;
      }
      const { identity, connected, connectedAt } = report;
      if (untold.state) states.push({ ...identity, connected, connectedAt });
      if (untold.rejections) rejections.push({ uid, refused: report.rejections() });
      untold.state = false;
      untold.rejections = false;
      if (untold.all) nameAll(untold, report);
      const numbers: number[] = [];
      const asked: number[] = [];
      for (const term of taken(untold.names, report, room)) {
        const number = this.number(term, terms);
        numbers.push(number);
        if (isAsked(term, report)) asked.push(number);
      }
      if (numbers.length > 0) inForce.push({ uid, terms: numbers, asked });
      room -= numbers.length;
      if (untold.names.size === 0) this.untold.delete(uid);
    }
    return { termsAnew, terms, states, forgotten, inForce, rejections };
  }

  private number(term: Term, fresh: Term[]): number {
    const { typeUrl, name, version } = term;
    const ofType = this.numbers.get(typeUrl) ?? new Map<string, Map<string, number>>();
    this.numbers.set(typeUrl, ofType);
    const ofName = ofType.get(name) ?? new Map<string, number>();
    ofType.set(name, ofName);
    const known = ofName.get(version);
    if (known !== undefined) return known;
    const number = this.numbered++;
    ofName.set(version, number);
    fresh.push(term);
    return number;
  }

  private nextMetrics(): ReportMessage['metrics'] {
    let bytes = 0;
    let count = 0;
    while (count < this.metricsWaiting.length && bytes < MAX_METRICS_BYTES) {
      bytes += this.metricsWaiting[count]?.message.length ?? 0;
      count++;
    }
    this.metricsBytes -= bytes;
    const next = this.metricsWaiting.slice(0, count);
    this.metricsWaiting = this.metricsWaiting.slice(count);
    return next;
  }

  private of(uid: string): Untold {
    const untold = this.untold.get(uid) ?? { state: false, rejections: false, all: false, names: new Map() };
    this.untold.set(uid, untold);
    return untold;
  }
}

function isAsked({ typeUrl, name, version }: Term, report: ProxyReport): boolean {
  return version !== '' && ON_DEMAND_TYPES.includes(typeUrl) && report.asksFor?.(typeUrl, name) === true;
}

function addName({ names }: Untold, typeUrl: string, name: string): void {
  if (typeUrl === SECRET_TYPE && !SECRETS.has(name)) return;
  const ofType = names.get(typeUrl) ?? new Set();
  names.set(typeUrl, ofType.add(name));
}

function nameAll(untold: Untold, report: ProxyReport): void {
  untold.all = false;
  for (const typeUrl of TYPES) for (const [name] of report.versions(typeUrl)) addName(untold, typeUrl, name);
}

/** Takes names out, at most so many, and gives what is in force of them. */
function* taken(names: Map<string, Set<string>>, report: ProxyReport, most: number): Generator<Term> {
  let left = most;
  for (const [typeUrl, ofType] of names) {
    for (const name of ofType) {
      if (left-- <= 0) return;
      ofType.delete(name);
      yield { typeUrl, name, version: told(typeUrl, name, report.acknowledged(typeUrl, name) ?? '') };
    }
    names.delete(typeUrl);
  }
}

/** Of a workload's certificate only who signed it: else each would be a term of its own. */
function told(typeUrl: string, name: string, version: string): string {
  return typeUrl === SECRET_TYPE && name === WORKLOAD_SECRET ? (version.split('.')[0] ?? '') : version;
}
