import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { judgeRateLimitPolicy } from './rate-limit-policy-judgement.ts';

const errorsOf = (spec: unknown): string[] =>
  judgeRateLimitPolicy(spec).errors.map(({ field, message }) => `${field} ${message}`);
const warningsOf = (spec: unknown): string[] =>
  judgeRateLimitPolicy(spec).warnings.map(({ field, message }) => `${field} ${message}`);
const LIMIT = { requests: 10, unit: 'Second' };
const limit = (more: object) => ({ limits: [{ ...LIMIT, ...more }] });
const HEADER = { kind: 'Header', name: 'x-user' };

describe('RateLimitPolicy', () => {
  test.each([
    ['a limit', limit({})],
    ['each unit', { limits: ['Second', 'Minute', 'Hour', 'Day'].map((unit) => ({ requests: 1, unit })) }],
    ['null for nothing', { ...limit({ match: null, countBy: null }), selector: null }],
    ['a selector', { selector: { matchLabels: { app: 'a' } }, ...limit({}) }],
    ['a Service', { targetRefs: [{ kind: 'Service', name: 'a' }], ...limit({}) }],
    ['a burst', limit({ burst: 5 })],
    ['a global limit', { ...limit({ scope: 'Global' }), failureMode: 'Closed' }],
    ['matches', limit({ match: [{ uri: { prefix: '/a' }, method: { exact: 'GET' }, headers: { 'x-a': {} } }] })],
    ['counts', limit({ countBy: [{ kind: 'Caller' }, HEADER, { kind: 'Claim', name: 'a.b/c' }] })],
    ['overrides', limit({ countBy: [HEADER], overrides: [{ values: ['ann'], requests: 2, unit: 'Day' }] })],
    [
      'callers',
      limit({ countBy: [{ kind: 'Caller' }], overrides: [{ values: ['cluster.local/ns/a/sa/b'], requests: 1 }] }),
    ],
    ['an answer', { ...limit({}), response: { status: 503, headers: { 'x-why': 'much' }, limitHeaders: false } }],
    ['connections alone', { connections: { max: 1 } }],
    ['bandwidth alone', { bandwidth: { sendKiBPerSecond: 1 } }],
    ['a dry run', { ...limit({}), dryRun: true }],
  ])('takes %s', (_, spec) => {
    expect(errorsOf(spec)).toEqual([]);
    expect(judgeRateLimitPolicy(spec).spec).toBeDefined();
  });

  test.each([
    [{}, 'spec.limits must have a limit, unless there are connections or bandwidth'],
    [limit({ requests: 0 }), 'spec.limits[0].requests '],
    [limit({ unit: 'Week' }), 'spec.limits[0].unit must be one of Second, Minute, Hour, Day'],
    [limit({ scope: 'Global', burst: 1 }), 'spec.limits[0].burst must not be set with scope Global'],
    [limit({ name: 'a b' }), 'spec.limits[0].name must be of letters'],
    [{ limits: [{ ...LIMIT, name: '1' }, LIMIT] }, 'spec.limits[1].name must not be "1" again'],
    [limit({ match: [{}] }), 'spec.limits[0].match[0] must have one field at least'],
    [limit({ match: [{ uri: { exact: 'a' } }] }), 'spec.limits[0].match[0].uri.exact must begin with "/"'],
    [limit({ match: [{ uri: { prefix: '/a?b' } }] }), 'spec.limits[0].match[0].uri.prefix must not have a "?"'],
    [limit({ match: [{ uri: {} }] }), 'spec.limits[0].match[0].uri must have one of exact'],
    [limit({ match: [{ method: { regex: '(' } }] }), 'spec.limits[0].match[0].method.regex '],
    [limit({ match: [{ headers: { 'x y': {} } }] }), 'spec.limits[0].match[0].headers[x y] must name a header'],
    [limit({ countBy: [{ kind: 'Caller', name: 'a' }] }), 'spec.limits[0].countBy[0].name must be left out'],
    [limit({ countBy: [{ kind: 'Header' }] }), 'spec.limits[0].countBy[0].name must name the header'],
    [limit({ countBy: [{ kind: 'Header', name: 'a)%' }] }), 'spec.limits[0].countBy[0].name must name a header'],
    [limit({ countBy: [{ kind: 'Claim', name: 'a:b' }] }), 'spec.limits[0].countBy[0].name must name a claim'],
    [
      limit({ overrides: [{ values: ['a'], requests: 1 }] }),
      'spec.limits[0].overrides must not be set without countBy',
    ],
    [
      limit({ countBy: [HEADER], overrides: [{ values: ['a', 'b'], requests: 1 }] }),
      'spec.limits[0].overrides[0].values must have 1 value, as many as countBy',
    ],
    [
      limit({
        countBy: [HEADER],
        overrides: [
          { values: ['a'], requests: 1 },
          { values: ['a'], requests: 2 },
        ],
      }),
      'spec.limits[0].overrides[1].values must not be there twice',
    ],
    [
      limit({ countBy: [{ kind: 'Caller' }], overrides: [{ values: ['ui'], requests: 1 }] }),
      'spec.limits[0].overrides[0].values[0] must be an identity such as',
    ],
    [{ ...limit({}), response: { status: 200 } }, 'spec.response.status must be a status of an error'],
    [{ ...limit({}), response: { headers: { 'retry-after': '1' } } }, 'spec.response.headers[retry-after] must not be'],
    [{ ...limit({}), response: { headers: { 'x-a': '%REQ(x)%' } } }, 'spec.response.headers[x-a] must be printable'],
    [{ connections: {} }, 'spec.connections must have one field'],
    [{ ...limit({}), dryRun: true, bandwidth: { sendKiBPerSecond: 1 } }, 'spec.bandwidth must not be set with dryRun'],
    [{ targetRefs: [{ kind: 'Gateway', name: 'a' }], ...limit({}) }, 'spec.targetRefs[0].kind must be Service'],
  ])('refuses %j', (spec, message) => {
    expect(errorsOf(spec).join('\n')).toContain(message);
    expect(judgeRateLimitPolicy(spec).spec).toBeUndefined();
  });

  test('warns of what has no effect', () => {
    expect(warningsOf({ ...limit({}), failureMode: 'Closed' })).toEqual([
      'spec.failureMode has no effect without a limit of scope Global',
    ]);
    expect(warningsOf({ connections: { max: 1 }, response: { status: 503 } })).toEqual([
      'spec.response has no effect without limits',
    ]);
  });

  test('no JSON makes the judgement throw', () => {
    fc.assert(
      fc.property(fc.jsonValue(), fc.jsonValue(), (spec, inner) => {
        judgeRateLimitPolicy(spec);
        judgeRateLimitPolicy({ limits: [inner], connections: inner, response: inner });
        judgeRateLimitPolicy(limit({ match: [inner], countBy: [inner], overrides: inner }));
      }),
    );
  });
});
