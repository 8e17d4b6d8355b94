import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { accessLogFormatProblem } from '../../api/access-log-format.ts';
import { celExpressionProblem } from '../../api/cel-expression.ts';
import { readMetricTag } from '../../api/metric-tag.ts';
import { expressionFormat } from '../../operator/xds/tagged-stats.ts';
import { findObjections } from '../../operator/xds/testing/envoy-validation.ts';

/** What admission lets through of expressions and formats the real Envoy takes: it would refuse the whole listener for one that it does not. */

const folder = mkdtempSync(join(tmpdir(), 'heddle-telemetry-'));
afterAll(() => rmSync(folder, { recursive: true }));

const TYPE = 'type.googleapis.com/envoy.extensions';

/** A listener with a log for each expression and each format, and one that counts by labels. */
function bootstrap(expressions: readonly string[], formats: readonly string[], labels: readonly string[] = []) {
  const logs = [
    ...expressions.map((expression) => ({
      name: 'envoy.access_loggers.stdout',
      filter: {
        extension_filter: {
          name: 'envoy.access_loggers.extension_filters.cel',
          typed_config: { '@type': `${TYPE}.access_loggers.filters.cel.v3.ExpressionFilter`, expression },
        },
      },
      typed_config: { '@type': `${TYPE}.access_loggers.stream.v3.StdoutAccessLog` },
    })),
    ...formats.map((inline_string) => ({
      name: 'envoy.access_loggers.stdout',
      typed_config: {
        '@type': `${TYPE}.access_loggers.stream.v3.StdoutAccessLog`,
        log_format: { text_format_source: { inline_string } },
      },
    })),
  ];
  const counters = labels.map((value_format, index) => {
    return { stat: { name: `a${index}`, tags: [{ name: 'x', value_format }] }, value_fixed: 1 };
  });
  const counting = {
    name: 'envoy.access_loggers.stats',
    typed_config: { '@type': `${TYPE}.access_loggers.stats.v3.Config`, stats_scope: {}, counters },
  };
  const proxy = { '@type': `${TYPE}.filters.network.tcp_proxy.v3.TcpProxy`, stat_prefix: 'a', cluster: 'a' };
  const chain = {
    filters: [
      { name: 'tcp', typed_config: { ...proxy, access_log: [...logs, ...(labels.length === 0 ? [] : [counting])] } },
    ],
  };
  const address = { socket_address: { address: '127.0.0.1', port_value: 1 } };
  return {
    static_resources: { listeners: [{ name: 'a', address, filter_chains: [chain] }], clusters: [{ name: 'a' }] },
  };
}

const PATHS = [
  'request.path',
  'request.headers["x"]',
  'response.code',
  'connection.mtls',
  'upstream.address',
  '1',
  '"a"',
];
const JOINS = ['&&', '||', '==', '!=', '<', '>=', '+', '-', '*', '/', '%', 'in'];
const PIECES = [
  ...[...PATHS, ...JOINS, '(', ')', '[', ']', '{', '}', ',', '.', '?', ':', '!', '-', "'", '"', '\\', '//', '\n', ' '],
  ...['size(', 'matches(', '.matches("a+")', '.contains("a")', '.startsWith(', 'duration("1s")', 'timestamp("', 'has('],
  ...[
    '.exists(x, x)',
    '.getHours()',
    'int(',
    'uint(1)',
    'double(1)',
    'bytes("a")',
    '1u',
    '0x1f',
    '1.5e3',
    "b'a'",
    "r'\\'",
    "'\\.'",
    '"\\x4"',
    'b"\\u00e9"',
    "r'\\.'",
  ],
  ...['true', 'null', 'é', '"\\u00e9"', "'''a'''", '9223372036854775808', '-9223372036854775808', '1e999', '@', '`a`'],
];
const joined = fc
  .tuple(
    fc.constantFrom(...PATHS),
    fc.array(
      fc.tuple(
        fc.constantFrom(' ', ''),
        fc.constantFrom(...JOINS),
        fc.constantFrom(' ', ''),
        fc.constantFrom(...PATHS),
      ),
      { maxLength: 12 },
    ),
  )
  .map(([first, rest]) => [first, ...rest.flat()].join(''));
const expression = fc.oneof(
  joined,
  fc.array(fc.constantFrom(...PIECES), { maxLength: 12 }).map((pieces) => pieces.join('')),
  fc.tuple(joined, fc.constantFrom(...PIECES), joined).map((pieces) => pieces.join(' ')),
);
const COMMANDS = [
  'REQ',
  'RESP',
  'START_TIME',
  'DURATION',
  'ROUTE_NAME',
  'RESPONSE_CODE',
  'UPSTREAM_HOST',
  'ENVIRONMENT',
];
const MORE = [
  'DYNAMIC_METADATA',
  'FILTER_STATE',
  'TRACE_ID',
  'UPSTREAM_METADATA',
  'PATH',
  'NOTHING',
  'UPSTREAM_X',
  'TRAILER',
];
const command = fc
  .tuple(
    fc.constantFrom(...COMMANDS, ...MORE),
    fc.constantFrom('', '(a)', '(a:b)', '()', '(X?Y)', '(%s)', '(a):9', ':9', '('),
  )
  .map((parts) => `%${parts.join('')}%`);
const format = fc
  .array(fc.oneof(command, fc.constantFrom('a', ' ', '%', '%%', '\n')), { maxLength: 4 })
  .map((parts) => parts.join(''));

async function objections(
  expressions: readonly string[],
  formats: readonly string[],
  labels: readonly string[] = [],
): Promise<string> {
  return findObjections(bootstrap(expressions, formats, labels), join(folder, 'bootstrap.json'));
}

/** Of some texts those that Envoy refuses, by halves. */
async function refused(
  texts: readonly string[],
  judge: (some: readonly string[]) => Promise<string>,
): Promise<string[]> {
  const words = texts.length === 0 ? '' : await judge(texts);
  if (words === '') return [];
  if (texts.length === 1) return [`${texts[0]}: ${words}`];
  const half = Math.floor(texts.length / 2);
  return [...(await refused(texts.slice(0, half), judge)), ...(await refused(texts.slice(half), judge))];
}

test('random expressions and formats that admission takes', async () => {
  const expressions = [...new Set(fc.sample(expression, 10000))].filter(
    (text) => celExpressionProblem(text) === undefined,
  );
  const formats = [...new Set(fc.sample(format, 2000))].filter((text) => accessLogFormatProblem(text) === undefined);
  expect(expressions.length).toBeGreaterThan(300);
  expect(formats.length).toBeGreaterThan(100);
  const wrong = [
    ...(await refused(expressions, (some) => objections(some, []))),
    ...(await refused(formats, (some) => objections([], some))),
  ];
  expect(wrong).toEqual([]);
}, 300_000);

test('random expressions that admission takes for labels of metrics', async () => {
  const random = fc.oneof(
    expression,
    fc.array(expression, { minLength: 2, maxLength: 3 }).map((some) => some.join(')%')),
  );
  const formats = [...new Set(fc.sample(random, 6000))].flatMap((text) => {
    const read = readMetricTag(text);
    return 'expression' in read ? [expressionFormat(read.expression)] : [];
  });
  expect(formats.length).toBeGreaterThan(200);
  expect(await refused(formats, (some) => objections([], [], some))).toEqual([]);
}, 300_000);

test('every command that may stand in a format, at a request and in JSON alike', async () => {
  const source = readFileSync(join(import.meta.dirname, '../../api/access-log-format.ts'), 'utf8');
  const names = [...new Set([...source.matchAll(/'([A-Z][A-Z0-9_]+)'/g)].map(([, name]) => name ?? ''))];
  const forms = names.flatMap((name) =>
    ['', '(a)', '(a?b)', '(a:b)', '(a:PLAIN)', '(%Y)', ':9', '(a):9'].map((rest) => `%${name}${rest}%`),
  );
  const formats = forms.filter((text) => accessLogFormatProblem(text) === undefined);
  expect(formats.length).toBeGreaterThan(names.length - 1);
  expect(await refused(formats, (some) => objections([], some))).toEqual([]);
}, 120_000);

test('the limits of size that admission has', async () => {
  const expressions = [
    `${'('.repeat(12)}true${')'.repeat(12)}`,
    `response${'.a'.repeat(23)} == 1`,
    `1${' + 1'.repeat(22)} == 1`,
    `${'true ? true : '.repeat(22)}true`,
    `${'!'.repeat(2000)}true`,
    `${'-'.repeat(2000)}1 == 1`,
    `request.path == '${'a'.repeat(2000)}'`,
    `${'true || '.repeat(250)}true`,
  ].filter((text) => celExpressionProblem(text) === undefined);
  expect(expressions.length).toBeGreaterThan(4);
  for (const text of expressions) expect([text, await objections([text], [])]).toEqual([text, '']);
}, 120_000);
