import { redactLine } from '../tap/redact.ts';

/** A line that a container wrote. */
export interface LogLine {
  readonly pod: string;
  /** RFC 3339, of kubelet. */
  readonly time: string;
  readonly text: string;
}

/** A refusal, as sidecars write it (`operator/xds/refusal-logger.ts`). */
interface Refusal {
  readonly decided_by: string;
  readonly details?: string | null;
  readonly source?: string | null;
  readonly source_principal?: string | null;
  readonly destination?: string | null;
  readonly method?: string | null;
  readonly authority?: string | null;
  readonly path?: string | null;
  readonly response_code?: number | null;
  readonly transport_failure?: string | null;
}

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
  if (typeof fields.decided_by === 'string') return describeRefusal(fields as unknown as Refusal);
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

function describeStructured({ level, message, timestamp: _, component, ...fields }: Readonly<Record<string, unknown>>) {
  const pairs = Object.entries(fields).map(
    ([name, value]) => `${name}=${typeof value === 'string' ? value : JSON.stringify(value)}`,
  );
  return [level, component && `${component}:`, message, ...pairs].filter((part) => part).join(' ');
}

/** `GET orders/cart from shop/ui (10.0.0.7) answered 403: refused by AuthorizationPolicy shop/x, rule 1`. */
function describeRefusal(refusal: Refusal): string {
  const { method, authority, path, destination, response_code: code } = refusal;
  const what = method ? `${method} ${authority ?? ''}${path ?? ''}` : `connection to ${destination ?? '?'}`;
  const answered = code ? ` answered ${code}` : '';
  return `${what} from ${callerOf(refusal)}${answered}: ${whyOf(refusal)}`;
}

function callerOf({ source, source_principal: principal }: Refusal): string {
  const address = (source ?? '').replace(/:\d+$/, '') || 'an unknown address';
  const match = /\/ns\/([^/]+)\/sa\/([^/]+)$/.exec(principal ?? '');
  return match === null ? `${address} (no identity)` : `${match[1]}/${match[2]} (${address})`;
}

const DENY = 'AuthorizationPolicy DENY ';
const NO_ALLOW = 'no ALLOW policy matched: ';

function whyOf({ decided_by: decidedBy, details, transport_failure: failure }: Refusal): string {
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
