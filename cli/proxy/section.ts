import type { ProxyConfig } from './config-dump.ts';

export type Direction = 'inbound' | 'outbound';

/** What the filters of `heddle proxy config` look at. */
export interface Facts {
  readonly port?: number | undefined;
  readonly hosts?: readonly string[];
  readonly subset?: string | undefined;
  readonly direction?: Direction | undefined;
}

/** A line of a section. */
export interface Line {
  readonly facts: Facts;
  readonly cells: readonly string[];
  /** More cells, for `-o wide`. */
  readonly wide: readonly string[];
  /** What `-o json` shows of it; lines of one resource share it. Never holds a private key. */
  readonly raw: unknown;
}

/** A kind of configuration, in the words of those who know `istioctl proxy-config`. */
export interface Section {
  readonly header: readonly string[];
  readonly wide: readonly string[];
  lines(config: ProxyConfig): readonly Line[];
}

/** As flags of the command say. */
export interface Filters {
  readonly port?: number;
  readonly fqdn?: string;
  readonly subset?: string;
  readonly direction?: Direction;
}

/** Whether a line is asked for: what is filtered by it must have and match. A host matches by its whole name, or by a first part of it. */
export function isWanted({ facts }: Line, { port, fqdn, subset, direction }: Filters): boolean {
  if (port !== undefined && facts.port !== port) return false;
  if (subset !== undefined && facts.subset !== subset) return false;
  if (direction !== undefined && facts.direction !== direction) return false;
  if (fqdn === undefined) return true;
  return facts.hosts?.some((host) => host === fqdn || host.startsWith(`${fqdn}.`)) ?? false;
}
