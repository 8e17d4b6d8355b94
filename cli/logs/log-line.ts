import { redactLine } from '../tap/redact.ts';

/** A line that a container wrote. */
export interface LogLine {
  readonly pod: string;
  /** RFC 3339, of kubelet. */
  readonly time: string;
  readonly text: string;
}

/**
 * Fields of a refusal, or of what an AUDIT policy is about, as sidecars write it (`operator/xds/refusal-logger.ts`, `audit-logger.ts`). Others may write
 * into the same log whatever they like, so all are texts.
 */
type Told = Readonly<Record<string, string | undefined>>;

/** Splits what kubelet gives with `timestamps=true`; of the text only what may be shown (see `redactLine`). */
export function readLine(pod: string, text: string): LogLine {
  const space = text.indexOf(' ');
  const time = text.slice(0, space);
  if (space < 0 || Number.isNaN(Date.parse(time))) return { pod, time: '', text: redactLine(text) };
  return { pod, time, text: redactLine(text.slice(space + 1)) };
}

/** What a line says, for people: refusals in words, structured lines as words and fields; anything else as it is. */
export function describeLine(text: string): string {
  if (!text.startsWith('{')) return text;
  const fields = parse(text);
  if (fields === undefined) return text;
  if ([fields.decided_by, fields.audited_by].some((by) => typeof by === 'string')) return describeTold(textsOf(fields));
  if (typeof fields.message === 'string') return describeStructured(fields);
  return text;
}

function parse(text: string): Readonly<Record<string, unknown>> | undefined {
  try {
    return JSON.parse(text) as Readonly<Record<string, unknown>>;
  } catch {
    return undefined;
  }
}

function textsOf(fields: Readonly<Record<string, unknown>>): Told {
  const told = Object.entries(fields).filter(([, value]) => typeof value === 'string' || typeof value === 'number');
  return Object.fromEntries(told.map(([name, value]) => [name, String(value)]));
}

function describeStructured({ level, message, timestamp: _, component, ...fields }: Readonly<Record<string, unknown>>) {
  const pairs = Object.entries(fields).map(
    ([name, value]) => `${name}=${typeof value === 'string' ? value : JSON.stringify(value)}`,
  );
  return [level, component && `${component}:`, message, ...pairs].filter((part) => part).join(' ');
}

/** `GET orders/cart from shop/ui (10.0.0.7) answered 403: refused by AuthorizationPolicy shop/x, rule 1`. */
function describeTold(told: Told): string {
  const { method, authority, path, destination, response_code: code, audited_by: auditedBy } = told;
  const what = method ? `${method} ${authority ?? ''}${path ?? ''}` : `connection to ${destination ?? '?'}`;
  const answered = code ? ` answered ${code}` : '';
  const why = auditedBy === undefined ? whyOf(told) : `audited by ${auditedBy.replace(' AUDIT ', ' ')}`;
  return `${what} from ${callerOf(told)}${answered}: ${why}`;
}

function callerOf({ source, source_principal: principal }: Told): string {
  const address = (source ?? '').replace(/:\d+$/, '') || 'an unknown address';
  const match = /\/ns\/([^/]+)\/sa\/([^/]+)$/.exec(principal ?? '');
  return match === null ? `${address} (no identity)` : `${match[1]}/${match[2]} (${address})`;
}

const DENY = 'AuthorizationPolicy DENY ';
const NO_ALLOW = 'no ALLOW policy matched: ';

function whyOf({ decided_by: decidedBy = '', details, transport_failure: failure }: Told): string {
  // Of a DENY, Envoy's details name the policy and its rule.
  const rule = /ns\[([^\]]+)\]-policy\[([^\]]+)\](?:-rule\[(\d+)\])?/.exec(details ?? '');
  const why = failure ? ` (${failure})` : '';
  if (decidedBy.startsWith(DENY) && rule !== null) {
    const number = rule[3] === undefined ? '' : `, rule ${Number(rule[3]) + 1}`;
    return `refused by AuthorizationPolicy ${rule[1]}/${rule[2]}${number}`;
  }
  if (decidedBy.startsWith(DENY)) return `refused by AuthorizationPolicy ${decidedBy.slice(DENY.length)}${why}`;
  if (decidedBy.startsWith(NO_ALLOW))
    return `refused, as no rule allows it of ${decidedBy.slice(NO_ALLOW.length)}${why}`;
  return `refused by ${decidedBy.replace(' CUSTOM ', ' ')}${why}${details ? ` (${details})` : ''}`;
}
