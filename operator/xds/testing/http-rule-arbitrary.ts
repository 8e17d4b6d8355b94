import fc from 'fast-check';
import type {
  Cors,
  Fault,
  HeaderOperations,
  HeaderRules,
  HttpAction,
  HttpMatch,
  HttpRule,
  NamedMatch,
  Redirect,
  Retries,
  Rewrite,
  StringMatch,
} from '../../mesh/route-rule.ts';

/** Rules of HTTP at random, of every shape that the API's validation lets pass. */

const optional = <T>(value: fc.Arbitrary<T>) => fc.option(value, { nil: undefined });

/** Text that may stand in a line of HTTP. */
const line = fc
  .string({ unit: 'grapheme', maxLength: 20 })
  // biome-ignore lint/suspicious/noControlCharactersInRegex: control characters are what is left out.
  .map((text) => text.replace(/[\u0000-\u001f\u007f]/g, ''));
const nonEmptyLine = line.filter((text) => text !== '');
const headerName = fc.stringMatching(/^[a-z0-9]([a-z0-9-]{0,10}[a-z0-9])?$/);
const headerValue = fc.oneof(
  line.map((text) => text.replaceAll('%', '%%')),
  fc.constantFrom('%REQ(x-a)%', 'a %PROTOCOL% b', '%%', '%DOWNSTREAM_REMOTE_ADDRESS%', '%RESPONSE_CODE%', ''),
);
const regex = fc.constantFrom(
  '.*',
  '/v[0-9]+/.*',
  '(a|b)+',
  '\\p{Greek}{1,3}',
  '(?i)x',
  '[^/]*',
  'a{1,100}',
  '^/a$',
  'é',
);
const path = line.map((text) => `/${text}`);
const host = fc.constantFrom('a.example', 'b', 'c.shop.svc.cluster.local', '10.0.0.1', '[::1]', 'a.example:8080');
const percent = fc.oneof(fc.constantFrom(0, 0.001, 0.1, 50, 100), fc.double({ min: 0, max: 100, noNaN: true }));
const ms = fc.oneof(fc.constantFrom(1, 1.1, 25, 315_576_000_000_000), fc.integer({ min: 1, max: 3_600_000 }));
const status = fc.integer({ min: 200, max: 599 });

const stringMatch: fc.Arbitrary<StringMatch> = fc.oneof(
  fc.record({ kind: fc.constant('exact' as const), value: line }),
  fc.record({ kind: fc.constant('prefix' as const), value: nonEmptyLine }),
  fc.record({ kind: fc.constant('regex' as const), value: regex }),
);
const uri: fc.Arbitrary<StringMatch> = fc.oneof(
  fc.record({ kind: fc.constantFrom('exact' as const, 'prefix' as const), value: path }),
  fc.record({ kind: fc.constant('regex' as const), value: regex }),
);

function named(names: fc.Arbitrary<string>): fc.Arbitrary<NamedMatch[]> {
  const one = fc.record({ name: names, value: optional(stringMatch) });
  return fc.array(one.map(withoutUndefined), { maxLength: 3 });
}

const httpMatch: fc.Arbitrary<HttpMatch> = fc
  .record({
    uri: optional(uri),
    ignoreUriCase: fc.boolean(),
    scheme: optional(stringMatch),
    method: optional(stringMatch),
    authority: optional(stringMatch),
    headers: named(fc.oneof(headerName, fc.constantFrom(':method', ':path', 'host'))),
    withoutHeaders: named(headerName),
    queryParams: named(nonEmptyLine),
  })
  .map(withoutUndefined);

const pair = fc.tuple(fc.oneof(headerName, fc.constantFrom('host', 'Host', ':authority')), headerValue);
const operations: fc.Arbitrary<HeaderOperations> = fc.record({
  set: fc.array(pair, { maxLength: 2 }),
  add: fc.array(pair, { maxLength: 2 }),
  remove: fc.array(fc.oneof(headerName, fc.constantFrom('host', 'Host', ':authority')), { maxLength: 2 }),
});
const headerRules: fc.Arbitrary<HeaderRules> = fc.record({ request: operations, response: operations });

const backends = fc
  .array(
    fc
      .record({ hostname: host, weight: fc.integer({ min: 0, max: 2_147_483_647 }), headers: optional(headerRules) })
      .map(withoutUndefined),
    { minLength: 1, maxLength: 4 },
  )
  .filter((list) => list.some(({ weight }) => weight > 0));

const redirect: fc.Arbitrary<Redirect> = fc
  .record({
    uri: optional(line),
    authority: optional(host),
    scheme: optional(fc.constantFrom('http', 'https')),
    port: optional(
      fc.oneof(
        fc.integer({ min: 1, max: 65_535 }),
        fc.constantFrom('FROM_PROTOCOL_DEFAULT' as const, 'FROM_REQUEST_PORT' as const),
      ),
    ),
    code: fc.constantFrom(301, 302, 303, 307, 308),
  })
  .map(withoutUndefined);

const action: fc.Arbitrary<HttpAction> = fc.oneof(
  { weight: 4, arbitrary: fc.record({ kind: fc.constant('forward' as const), backends }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('redirect' as const), redirect }) },
  {
    weight: 1,
    arbitrary: fc
      .record({
        kind: fc.constant('respond' as const),
        status,
        body: optional(fc.oneof(fc.string(), fc.constant('x'.repeat(5000)), fc.uint8Array({ maxLength: 20 }))),
      })
      .map(withoutUndefined),
  },
);

const rewrite: fc.Arbitrary<Rewrite> = fc.oneof(
  fc.record({ uri: optional(nonEmptyLine), authority: optional(host) }).map(withoutUndefined),
  fc.record({ uriRegex: fc.constantFrom({ match: '^/(.*)', rewrite: '/x/\\1' }, { match: 'a', rewrite: '\\\\' }) }),
);

const retries: fc.Arbitrary<Retries> = fc
  .record({
    attempts: fc.oneof(fc.integer({ min: 0, max: 10 }), fc.constant(2_147_483_647)),
    perTryTimeoutMs: optional(ms),
    retryOn: optional(fc.constantFrom('5xx', '503,409', 'gateway-error, reset', 'retriable-status-codes', '')),
    backoffMs: optional(ms),
    remoteLocalities: fc.boolean(),
    ignorePreviousHosts: fc.boolean(),
  })
  .map(withoutUndefined);

const fault: fc.Arbitrary<Fault> = fc
  .record({
    delay: optional(fc.record({ fixedMs: ms, percent })),
    abort: optional(
      fc.oneof(
        fc.record({ httpStatus: status, percent }),
        fc.record({ grpcStatus: fc.integer({ min: 0, max: 16 }), percent }),
        fc.record({ percent }),
      ),
    ),
  })
  .map(withoutUndefined);

const names = fc.array(headerName, { maxLength: 3 });
const cors: fc.Arbitrary<Cors> = fc
  .record({
    allowOrigins: fc.array(stringMatch, { maxLength: 3 }),
    allowMethods: fc.subarray(['GET', 'PUT', '*']),
    allowHeaders: names,
    exposeHeaders: names,
    maxAgeMs: optional(fc.integer({ min: 0, max: 86_400 }).map((seconds) => seconds * 1000)),
    allowCredentials: optional(fc.boolean()),
    unmatchedPreflights: optional(fc.constantFrom('FORWARD' as const, 'IGNORE' as const)),
  })
  .map(withoutUndefined);

export const arbitraryRule: fc.Arbitrary<HttpRule> = fc
  .record({
    name: line,
    matches: fc.array(httpMatch, { maxLength: 3 }),
    action,
    rewrite: optional(rewrite),
    timeoutMs: optional(fc.oneof(ms, fc.constant(0))),
    retries: optional(retries),
    fault: optional(fault),
    mirrors: fc.array(fc.record({ hostname: host, percent }), { maxLength: 2 }),
    cors: optional(cors),
    headers: optional(headerRules),
  })
  .map(withoutUndefined);

/** The same without fields that are there and undefined, which the mesh never makes. */
function withoutUndefined<T extends object>(value: T): { [K in keyof T]: Exclude<T[K], undefined> } {
  const entries = Object.entries(value).filter(([, field]) => field !== undefined);
  // Optional fields lose nothing but their undefined.
  return Object.fromEntries(entries) as { [K in keyof T]: Exclude<T[K], undefined> };
}
