import { BlockList, isIP } from 'node:net';
import { type ConfigurationLoading, configurationLoading } from '../api/mesh-config.ts';

/** Reads one kind of value; `read` gives undefined for anything that is not `expected`. */
export interface Parser<T> {
  readonly expected: string;
  readonly read: (text: string) => T | undefined;
}

const MAX_LIST = 256;

/** Splits a comma-separated list; empty text is an empty list. */
function split(text: string): string[] {
  const trimmed = text.trim();
  return trimmed === '' ? [] : trimmed.split(',').map((part) => part.trim());
}

function list<T>(text: string, item: (part: string) => T | undefined): readonly T[] | undefined {
  const parts = split(text);
  if (parts.length > MAX_LIST) return undefined;
  const items: T[] = [];
  for (const part of parts) {
    const value = item(part);
    if (value === undefined) return undefined;
    items.push(value);
  }
  return items;
}

function port(text: string): number | undefined {
  if (!/^\d{1,5}$/.test(text)) return undefined;
  const value = Number(text);
  return value >= 1 && value <= 65_535 ? value : undefined;
}

/** A CIDR such as 10.0.0.0/8; a bare address means that one address. */
function range(text: string): string | undefined {
  const [address = '', length, ...rest] = text.split('/');
  const family = isIP(address);
  if (family === 0 || rest.length > 0 || address.includes('%')) return undefined;
  const bits = family === 4 ? 32 : 128;
  if (length === undefined) return `${address}/${bits}`;
  if (!/^\d{1,3}$/.test(length) || Number(length) > bits) return undefined;
  // The kernel's own rules would be the judge later, in a pod that then cannot start.
  new BlockList().addSubnet(address, Number(length), family === 4 ? 'ipv4' : 'ipv6');
  return `${address}/${Number(length)}`;
}

export const parsePortList: Parser<readonly number[]> = {
  expected: 'a comma-separated list of ports from 1 to 65535, such as "8080,9090"',
  read: (text) => list(text, port),
};

export const parsePorts: Parser<'*' | readonly number[]> = {
  expected: '"*" or a comma-separated list of ports from 1 to 65535, such as "8080,9090"',
  read: (text) => (text.trim() === '*' ? '*' : list(text, port)),
};

export const parseRangeList: Parser<readonly string[]> = {
  expected: 'a comma-separated list of IP ranges, such as "10.0.0.0/8,fd00::/8"',
  read: (text) => list(text, range),
};

export const parseRanges: Parser<'*' | readonly string[]> = {
  expected: '"*" or a comma-separated list of IP ranges, such as "10.0.0.0/8,fd00::/8"',
  read: (text) => (text.trim() === '*' ? '*' : list(text, range)),
};

export const parseInterfaces: Parser<readonly string[]> = {
  expected: 'a comma-separated list of network interface names, such as "eth1,net1"',
  // The kernel's limit is 15 characters; quotes and wildcards would have a meaning in a rule.
  read: (text) => list(text, (part) => (/^[A-Za-z0-9_.:@-]{1,15}$/.test(part) ? part : undefined)),
};

export const parseQuantity: Parser<string> = {
  expected: 'a Kubernetes quantity greater than zero, such as "100m", "0.5" or "128Mi"',
  read: (text) =>
    /^\d{1,15}(\.\d{1,9})?(m|k|M|G|T|Ki|Mi|Gi|Ti)?$/.test(text) && Number.parseFloat(text) > 0 ? text : undefined,
};

export const parseLogLevel: Parser<string> = {
  expected: 'one of trace, debug, info, warning, error, critical, off',
  read: (text) => {
    if (text === 'warn') return 'warning';
    return /^(trace|debug|info|warning|error|critical|off)$/.test(text) ? text : undefined;
  },
};

export const parseImage: Parser<string> = {
  expected: 'an image reference, such as "envoyproxy/envoy:v1.40.0"',
  read: (text) => (/^[A-Za-z0-9][A-Za-z0-9._:/@-]{0,511}$/.test(text) ? text : undefined),
};

export const parseBoolean: Parser<boolean> = {
  expected: '"true" or "false"',
  read: (text) => (text === 'true' ? true : text === 'false' ? false : undefined),
};

export const parseSwitch: Parser<boolean> = {
  expected: '"enabled" or "disabled"',
  read: (text) => (text === 'enabled' ? true : text === 'disabled' ? false : undefined),
};

export const parseLoading: Parser<ConfigurationLoading> = {
  expected: '"eager" or "on-demand"',
  read: (text) => configurationLoading.safeParse(text).data,
};

export const parseDomain: Parser<string> = {
  expected: 'a DNS domain in lower case, such as "cluster.local", or nothing',
  read: (text) => (text.length <= 253 && /^([a-z0-9_-]{1,63}([.][a-z0-9_-]{1,63})*)?$/.test(text) ? text : undefined),
};
