import type { ProxyReport } from './ack-report.ts';

/** Follows the proxies of this replica, one by one and as it happens. */
export interface ProxyObserver {
  /** A stream of the proxy began or ended; undefined: its report is forgotten. */
  proxy(uid: string, report: ProxyReport | undefined): void;
  /** What the proxy has in force of these may be another version, or it refuses some. */
  resources(uid: string, typeUrl: string, names: Iterable<string>): void;
}
