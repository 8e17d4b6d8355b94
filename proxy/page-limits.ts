import { type EnvoyConfig, extension, typed } from './envoy-types.ts';
import { luaString } from './own-labels.ts';

/** Pages a second for one address, and in all: two who scrape each second are far from it, and who floods leaves others theirs. */
const OF_ONE = { perSecond: 2, atOnce: 5 };
const OF_ALL = { perSecond: 4, atOnce: 10 };
/** Addresses that are told apart. */
const MAX_ADDRESSES = 1000;
/** Pages under way at a time, and how many more may wait for one of these to end; so do those whose connection is being made. */
const MAX_AT_ONCE = 4;
const MAX_WAITING = 8;

const FILTER = 'page-limit';
const MESSAGE = 'filters.http.local_ratelimit.v3.LocalRateLimit';
const STATS = { stat_prefix: 'heddle_metrics' };
/** Who is connected; what headers say of it anybody may write. */
const ADDRESS = '%DOWNSTREAM_DIRECT_REMOTE_ADDRESS_WITHOUT_PORT%';
const ADDRESS_KEY = 'address';

/** What is answered to who asks too often, and to who asks while others are answered. */
export const TOO_OFTEN = `Metrics are answered ${OF_ONE.perSecond} times a second to one address, and ${OF_ALL.perSecond} times to all.\n`;
export const TOO_MANY = `Metrics are answered to ${MAX_AT_ONCE} at a time, while ${MAX_WAITING} wait.\n`;

/** Lua that defines `refuse_busy(request)`: the answer where it was a script that met that limit. */
export const REFUSE_BUSY_SCRIPT = `
function refuse_busy(request)
  -- Or this would be answered as what is asked too often.
  request:headers():replace(":path", "/")
  request:respond({[":status"] = "429"}, ${luaString(TOO_MANY)})
end
`;

/** The filter that bounds how often routes are taken that have `pageRateLimit`. */
export function pageLimitFilter(): EnvoyConfig {
  return extension(FILTER, MESSAGE, STATS);
}

/** Part of a route: how often it is taken, counted over all workers. */
export function pageRateLimit(): EnvoyConfig {
  const always = { default_value: { numerator: 100, denominator: 'HUNDRED' } };
  return {
    [FILTER]: typed(MESSAGE, {
      ...STATS,
      filter_enabled: always,
      filter_enforced: always,
      token_bucket: bucket(OF_ALL),
      rate_limits: [{ actions: [{ generic_key: { descriptor_key: ADDRESS_KEY, descriptor_value: ADDRESS } }] }],
      descriptors: [
        // The other page of this sidecar, which counts who asks it.
        { entries: [{ key: ADDRESS_KEY, value: '127.0.0.1' }], token_bucket: bucket(OF_ALL) },
        // An empty value stands for any.
        { entries: [{ key: ADDRESS_KEY }], token_bucket: bucket(OF_ONE) },
      ],
      max_dynamic_descriptors: MAX_ADDRESSES,
      enable_retry_after_header: true,
    }),
  };
}

/** Part of a cluster: how many requests it takes at a time. */
export function boundedRequests(): EnvoyConfig {
  const most = { max_connections: MAX_AT_ONCE, max_pending_requests: MAX_WAITING, max_requests: MAX_AT_ONCE };
  return { circuit_breakers: { thresholds: [most] } };
}

/** Part of a connection manager: what is answered at these limits, for paths that begin so. */
export function limitAnswers(path: string): EnvoyConfig {
  const isPage = { header_filter: { header: { name: ':path', string_match: { prefix: path } } } };
  const answer = (reason: EnvoyConfig, text: string): EnvoyConfig => ({
    filter: { and_filter: { filters: [isPage, reason] } },
    status_code: 429,
    body_format_override: { text_format_source: { inline_string: text } },
  });
  return { local_reply_config: { mappers: [answer(IS_TOO_OFTEN, TOO_OFTEN), answer(IS_TOO_MANY, TOO_MANY)] } };
}

/** Envoy says why in the flags only later. */
const IS_TOO_OFTEN = {
  status_code_filter: { comparison: { op: 'EQ', value: { default_value: 429, runtime_key: 'heddle.none' } } },
};
const IS_TOO_MANY = { response_flag_filter: { flags: ['UO'] } };

function bucket({ perSecond, atOnce }: typeof OF_ONE): EnvoyConfig {
  return { max_tokens: atOnce, tokens_per_fill: perSecond, fill_interval: '1s' };
}
