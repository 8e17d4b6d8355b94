import { expect, test } from '@jest/globals';
import { describeLine, readLine } from './log-line.ts';

test('the time of kubelet is told apart from what was written', () => {
  expect(readLine('ui-1', '2026-11-29T14:05:36.123456789Z {"a": 1}')).toEqual({
    pod: 'ui-1',
    time: '2026-11-29T14:05:36.123456789Z',
    text: '{"a": 1}',
  });
  expect(readLine('ui-1', 'no time')).toEqual({ pod: 'ui-1', time: '', text: 'no time' });
});

test('of what was written only what may be shown, in any format', () => {
  expect(readLine('ui-1', '2026-11-29T14:05:36Z {"path":"/a?token=hidden"}').text).toBe(
    '{"path":"/a?token=[redacted]"}',
  );
  expect(readLine('ui-1', 'GET /a?token=hidden').text).toBe('GET /a?token=[redacted]');
});

const refusal = {
  source: '10.0.0.7:4711',
  source_principal: 'spiffe://cluster.local/ns/shop/sa/ui',
  destination: '10.0.0.9:8080',
  method: 'GET',
  authority: 'orders',
  path: '/cart',
  response_code: 403,
};

test.each([
  [
    {
      ...refusal,
      decided_by: 'AuthorizationPolicy DENY shop/a, shop/b',
      details: 'rbac_access_denied_matched_policy[ns[shop]-policy[b]-rule[0]]',
    },
    'GET orders/cart from shop/ui (10.0.0.7) answered 403: refused by AuthorizationPolicy shop/b, rule 1',
  ],
  [
    { ...refusal, decided_by: 'no ALLOW policy matched: AuthorizationPolicy shop/a', source_principal: null },
    'GET orders/cart from 10.0.0.7 (no identity) answered 403: refused, as no rule allows it of AuthorizationPolicy shop/a',
  ],
  [
    { ...refusal, decided_by: 'RateLimitPolicy shop/limit', details: 'local_rate_limited', response_code: 429 },
    'GET orders/cart from shop/ui (10.0.0.7) answered 429: refused by RateLimitPolicy shop/limit (local_rate_limited)',
  ],
  [
    {
      decided_by: 'AuthorizationPolicy DENY shop/closed',
      source: '10.0.0.7:1',
      destination: '10.0.0.9:9000',
      transport_failure: 'TLS_error',
    },
    'connection to 10.0.0.9:9000 from 10.0.0.7 (no identity): refused by AuthorizationPolicy shop/closed (TLS_error)',
  ],
  [
    { ...refusal, response_code: 200, audited_by: 'AuthorizationPolicy AUDIT shop/a, shop/b', details: 'via_upstream' },
    'GET orders/cart from shop/ui (10.0.0.7) answered 200: audited by AuthorizationPolicy shop/a, shop/b',
  ],
  [
    {
      decided_by: 'RateLimitPolicy shop/a',
      source: '10.0.0.7:1',
      destination: '10.0.0.9:1',
      details: 'over_connection_limit',
    },
    'connection to 10.0.0.9:1 from 10.0.0.7 (no identity): refused by RateLimitPolicy shop/a (over_connection_limit)',
  ],
  [
    { decided_by: 'x', audited_by: {}, source: 5, source_principal: [], method: true, details: {}, destination: 1 },
    'connection to 1 from 5 (no identity): refused by x',
  ],
  [
    { level: 'info', message: 'serving', timestamp: 't', component: 'ads', port: 1, of: 'x' },
    'info ads: serving port=1 of=x',
  ],
])('a line of JSON is told in words (%#)', (fields, words) => {
  expect(describeLine(JSON.stringify(fields))).toBe(words);
});

test.each(['[2026-11-29][12][warning] text', '{"other":1}', '{broken'])('any other stays as it is: %s', (text) => {
  expect(describeLine(text)).toBe(text);
});
