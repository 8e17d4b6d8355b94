import { TAP_ID } from '../../proxy/names.ts';
import { CliError } from '../cli-error.ts';

/** Which requests are watched. */
export interface TapFilters {
  readonly method?: string;
  /** A first part of the path, or a pattern with `*`. */
  readonly path?: string;
  /** The host that is called, or a first part of its name. */
  readonly to?: string;
  /** `503`, `5xx`. */
  readonly status?: string;
  /** How many of a hundred of those that match. */
  readonly sample: number;
}

/** Body of the POST to `/tap`: Envoy itself picks the requests, so that those that nobody asked for cost nothing. Of bodies it keeps none. */
export function buildTapRequest(filters: TapFilters): object {
  const rules = matchersOf(filters);
  const [only] = rules;
  return {
    config_id: TAP_ID,
    tap_config: {
      match: only === undefined ? { any_match: true } : rules.length === 1 ? only : { and_match: { rules } },
      output_config: {
        sinks: [{ format: 'JSON_BODY_AS_STRING', streaming_admin: {} }],
        max_buffered_rx_bytes: 0,
        max_buffered_tx_bytes: 0,
      },
      tap_enabled: {
        default_value: { numerator: Math.round(filters.sample * 10_000), denominator: 'MILLION' },
      },
    },
  };
}

function matchersOf({ method, path, to, status }: TapFilters): object[] {
  const request = [
    ...(method === undefined ? [] : [header(':method', { exact: method.toUpperCase() })]),
    ...(path === undefined ? [] : [header(':path', pathMatcher(path))]),
    ...(to === undefined ? [] : [header(':authority', { safe_regex: { regex: `^${quote(to)}([.:].*)?$` } })]),
  ];
  return [
    ...(request.length === 0 ? [] : [{ http_request_headers_match: { headers: request } }]),
    ...(status === undefined
      ? []
      : [{ http_response_headers_match: { headers: [header(':status', statusMatcher(status))] } }]),
  ];
}

const header = (name: string, matcher: object): object => ({ name, string_match: matcher });

function pathMatcher(path: string): object {
  if (!path.includes('*')) return { prefix: path };
  return { safe_regex: { regex: `^${path.split('*').map(quote).join('.*')}(\\?.*)?$` } };
}

function statusMatcher(status: string): object {
  const text = status.toLowerCase();
  if (/^[1-5]\d\d$/.test(text)) return { exact: text };
  if (/^[1-5]xx$/.test(text)) return { prefix: text.slice(0, 1) };
  throw new CliError(`${status} is no status`, 'write a number as 503, or a class as 5xx', 2);
}

function quote(text: string): string {
  return text.replaceAll(/[.*+?^${}()|[\]\\]/g, '\\$&');
}
