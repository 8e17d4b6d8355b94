import { generateKeyPairSync } from 'node:crypto';
import type { MetricProvider } from '../../../api/metric-template.ts';
import { QueryError } from '../../../operator/providers/provider.ts';
import { PROVIDERS } from '../../../operator/providers/providers.ts';
import { asBuffer } from '../engine/as-buffer.ts';
import type { Target } from '../target.ts';
import { repeated } from './repeated.ts';

/** Most bytes that are read of an answer (operator/providers/exchange.ts). */
const ANSWER_BYTES = 1 << 20;
/** As short as one can be: it signs at each question. */
const { privateKey } = generateKeyPairSync('rsa', { modulusLength: 512 });
const account = { client_email: 'a', private_key: privateKey.export({ type: 'pkcs8', format: 'pem' }) };
const secret = new Map([
  ['datadog_api_key', 'a'],
  ['datadog_application_key', 'a'],
  ['aws_access_key_id', 'a'],
  ['aws_secret_access_key', 'a'],
  ['newrelic_account_id', '1'],
  ['newrelic_query_key', 'a'],
  ['org', 'a'],
  ['token', 'a'],
  ['dynatrace_token', 'a'],
  ['project', 'a'],
  ['serviceAccountKey', JSON.stringify(account)],
]);
const QUERIES: Readonly<Partial<Record<MetricProvider, string>>> = { cloudwatch: '[]', graphite: 'target=a' };
const TYPES = Object.keys(PROVIDERS) as MetricProvider[];

/** Answers as each API has them. */
const ANSWERS: readonly (readonly [MetricProvider, unknown])[] = [
  ['prometheus', { data: { resultType: 'vector', result: [{ metric: {}, value: [1, '4.2'] }] } }],
  ['prometheus', { data: { resultType: 'scalar', result: [1, 'NaN'] } }],
  ['datadog', { series: [{ pointlist: [1, 2, 3].map((at) => [at, at === 3 ? null : at]) }] }],
  ['cloudwatch', { MetricDataResults: [{ StatusCode: 'Complete', Values: [4.2, 9] }] }],
  ['newrelic', { results: [{ result: 4.2 }] }],
  ['graphite', [{ datapoints: [1, 2, 3].map((at) => [at === 3 ? null : at, at]) }]],
  ['influxdb', '#group,false\r\n,result,table,_value,_field\r\n,,0,4.2,"a, ""b"""\r\n\r\n'],
  ['influxdb', 'error,reference\nbad,897\n'],
  ['dynatrace', { result: [{ data: [{ values: [4.2] }] }] }],
  ['stackdriver', { timeSeriesData: [{ pointData: [{ values: [{ doubleValue: 4.2 }, { int64Value: '9' }] }] }] }],
];

/** An answer and who gives it, as it is changed. */
interface Given {
  readonly type: MetricProvider;
  readonly status: number;
  /** JSON stands for its text. */
  readonly answer: unknown;
}
const given = (type: MetricProvider, status: number, answer: unknown): Buffer =>
  Buffer.from(JSON.stringify({ type, status, answer } satisfies Given));

function givenIn(bytes: Uint8Array): Given {
  const text = asBuffer(bytes).toString();
  try {
    const { type, status, answer } = JSON.parse(text);
    if (TYPES.includes(type)) return { type, status, answer };
  } catch {
    // It is itself what somebody answers.
  }
  return { type: TYPES[bytes.length % TYPES.length] ?? 'prometheus', status: 200, answer: text };
}

/** What servers answer that MetricTemplates name. */
export const target: Target = {
  name: 'provider-answer',
  about: 'answers of metric providers, of whoever a MetricTemplate names',
  form: 'json',
  seeds: [
    ...ANSWERS.map(([type, answer]) => given(type, 200, answer)),
    given('prometheus', 422, { error: 'parse error' }),
    given('datadog', 502, '<html><p>Bad Gateway</p></html>'),
  ],
  *largest() {
    const most = ANSWER_BYTES - 100;
    for (const type of TYPES) {
      for (const piece of ['<', '<a', '<>', ' ', '[', '{"a":', '[],', '0,']) {
        yield given(type, 500, repeated(piece, most).toString());
        yield given(type, 200, repeated(piece, most).toString());
      }
    }
    for (const piece of [',', '"', '""', '"",', ',""', '"a', '\n', 'a\n', ',\n', '_value\n1\n\n'])
      yield given('influxdb', 200, repeated(piece, most).toString());
    for (const [type, answer] of ANSWERS) {
      if (typeof answer === 'string') continue;
      // Each list of it as long as it can be.
      const text = JSON.stringify(answer);
      for (let at = text.indexOf('['); at >= 0; at = text.indexOf('[', at + 1)) {
        for (const item of ['0', 'null', '{}', '[]', '[1,1]', '{"values":[]}'])
          yield given(
            type,
            200,
            `${text.slice(0, at + 1)}${repeated(`${item},`, most - text.length)}${text.slice(at + 1)}`,
          );
      }
    }
    for (const depth of [9000, most / 2 - 50]) {
      const deep = '['.repeat(depth) + ']'.repeat(depth);
      yield given('newrelic', 200, `{"results":[{"a":${deep}}]}`);
    }
    yield given('newrelic', 200, `{"results":[{"a":"${'a'.repeat(most - 30)}"}]}`);
  },
  async run(bytes) {
    const { type, status, answer } = givenIn(bytes);
    const text = typeof answer === 'string' ? answer : (JSON.stringify(answer) ?? '');
    try {
      const value = await PROVIDERS[type](QUERIES[type] ?? 'a', {
        address: 'http://a',
        secret,
        region: 'a',
        intervalMs: 60_000,
        now: 1_700_000_000_000,
        exchange: async ({ url }) =>
          url.includes('oauth2') ? { status: 200, text: '{"access_token":"a"}' } : { status, text },
      });
      if (!Number.isFinite(value)) throw new Error(`${value} is no value`);
    } catch (error) {
      if (!(error instanceof QueryError)) throw error;
      if (error.message.length > 2000) throw new Error('it says too much');
    }
  },
};
