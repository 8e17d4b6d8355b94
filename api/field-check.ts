import type { FieldProblem, SpecJudgement } from './field-problem.ts';

/** Collects what the checks of one spec bring up. */
export class Findings implements SpecJudgement {
  readonly errors: FieldProblem[] = [];
  readonly warnings: FieldProblem[] = [];

  /** Adds what makes the object unusable. */
  error(field: string, message: string): void {
    this.errors.push({ field, message });
  }

  /** Adds what is legal and dubious. */
  warn(field: string, message: string): void {
    this.warnings.push({ field, message });
  }
}

const LABEL = /^[a-zA-Z0-9](?:[-a-zA-Z0-9]{0,61}[a-zA-Z0-9])?$/;
const LABEL_KEY_NAME = /^[a-zA-Z0-9](?:[-_.a-zA-Z0-9]{0,61}[a-zA-Z0-9])?$/;
const LABEL_VALUE = /^(?:[a-zA-Z0-9](?:[-_.a-zA-Z0-9]{0,61}[a-zA-Z0-9])?)?$/;
const MAX_HOST_LENGTH = 255;

/** Whether the text is the key of a label without its prefix. */
export const isLabelName = (text: string): boolean => LABEL_KEY_NAME.test(text);

/** Whether the text is the value of a label. */
export const isLabelValue = (text: string): boolean => LABEL_VALUE.test(text);

/** Whether the text is one DNS label, in either case as Istio takes it. */
export const isDnsLabel = (text: string): boolean => LABEL.test(text);

/** Whether the text is a name of one or more DNS labels; a final dot is allowed, an all-numeric last label is not (that is an address). */
export function isDnsName(text: string): boolean {
  if (text.length === 0 || text.length > MAX_HOST_LENGTH) return false;
  const labels = text.replace(/\.$/, '').split('.');
  return labels.every(isDnsLabel) && !/^[0-9]+$/.test(labels.at(-1) ?? '');
}

/** Whether the text is a DNS name, `*`, or a name whose left-most label begins with `*` (`*.shop.example`, `*-eu.shop.example`). */
export function isHostOrWildcard(text: string): boolean {
  if (text === '*') return true;
  if (!text.startsWith('*')) return isDnsName(text);
  if (text.length > MAX_HOST_LENGTH) return false;
  return isDnsName(text.replace(/^\*[.-]?/, ''));
}

/** Whether the text is an IPv4 or IPv6 address. */
export function isAddress(text: string): boolean {
  if (text.includes(':')) return /^[0-9a-fA-F:.]+$/.test(text) && URL.canParse(`http://[${text}]`);
  const parts = text.split('.');
  return parts.length === 4 && parts.every((part) => /^(?:0|[1-9][0-9]{0,2})$/.test(part) && Number(part) <= 255);
}

/** Whether the text is an address, or a block of addresses in CIDR notation. */
export function isSubnet(text: string): boolean {
  const [address = '', bits, ...rest] = text.split('/');
  if (!isAddress(address) || rest.length > 0) return false;
  return bits === undefined || (/^[0-9]{1,3}$/.test(bits) && Number(bits) <= (address.includes(':') ? 128 : 32));
}

/** Reports a port that is none; a missing one is fine. */
export function checkPort(found: Findings, field: string, port: number | undefined): void {
  if (port !== undefined && !(Number.isInteger(port) && port >= 1 && port <= 65_535)) {
    found.error(field, `must be a port from 1 to 65535, and is ${port}`);
  }
}

/** Reports a percentage outside of 0 to 100; a missing one is fine. */
export function checkPercent(found: Findings, field: string, percent: number | undefined): void {
  if (percent !== undefined && !(percent >= 0 && percent <= 100)) {
    found.error(field, `must be a percentage from 0 to 100, and is ${percent}`);
  }
}

/** Reports labels that no pod can have. */
export function checkLabels(found: Findings, field: string, labels: Readonly<Record<string, string>> = {}): void {
  for (const [key, value] of Object.entries(labels)) {
    const [name = '', prefix] = key.split('/').reverse();
    if (key.split('/').length > 2 || !isLabelName(name) || (prefix !== undefined && !isDnsName(prefix))) {
      found.error(`${field}[${key}]`, 'must be a label key such as "app" or "shop.example/tier"');
    }
    if (!isLabelValue(value)) {
      found.error(`${field}[${key}]`, 'must have a label value: at most 63 letters, digits, "-", "_" and "."');
    }
  }
}

/**
 * Reports entries of `exportTo` that Istio refuses.
 * @param mayBeNone whether `~` (to nobody) means something for this kind; it does for ServiceEntry
 */
export function checkExportTo(found: Findings, exportTo: readonly string[] = [], mayBeNone = false): void {
  const seen = new Set<string>();
  for (const [index, entry] of exportTo.entries()) {
    const field = `spec.exportTo[${index}]`;
    if (seen.has(entry)) found.error(field, `must not repeat "${entry}"; leave it out`);
    seen.add(entry);
    if (entry === '.' || entry === '*' || (mayBeNone && entry === '~') || isDnsLabel(entry)) continue;
    found.error(field, `must be ".", "*"${mayBeNone ? ', "~"' : ''} or the name of a namespace, and is "${entry}"`);
  }
  for (const alone of ['*', '~']) {
    if (seen.has(alone) && exportTo.length > 1) {
      found.error('spec.exportTo', `must have "${alone}" alone; leave out the other entries or "${alone}"`);
    }
  }
}
