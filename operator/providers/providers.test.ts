import { generateKeyPairSync } from 'node:crypto';
import { describe, expect, test } from '@jest/globals';
import type { MetricProvider } from '../../api/metric-template.ts';
import type { ProviderRequest, QueryError } from './provider.ts';
import { PROVIDERS } from './providers.ts';

const NOW = Date.UTC(2026, 0, 1);
const { privateKey } = generateKeyPairSync('rsa', { modulusLength: 2048 });
const pem = privateKey.export({ type: 'pkcs8', format: 'pem' }).toString();
const account = JSON.stringify({ client_email: 'heddle@p.iam.gserviceaccount.com', private_key: pem });

/** A provider with its address and Secret, a query of it, and an answer as its API records it. */
interface Recorded {
  readonly address?: string;
  readonly secret?: Readonly<Record<string, string>>;
  readonly query: string;
  readonly answer: string;
}

const json = JSON.stringify;
const influx = (rows: readonly string[]) =>
  ['#datatype,string,long,double', '#group,false,false,false', '#default,_result,,', ',result,table,_value,_field']
    .concat(rows, '', '')
    .join('\r\n');

const RECORDED: Readonly<Record<MetricProvider, Recorded>> = {
  prometheus: {
    address: 'http://prometheus:9090',
    query: 'sum(rate(errors[1m]))',
    answer: json({
      status: 'success',
      data: { resultType: 'vector', result: [{ metric: {}, value: [1767225600, '4.2'] }] },
    }),
  },
  datadog: {
    secret: { datadog_api_key: 'key', datadog_application_key: 'app' },
    query: 'avg:errors{*}',
    answer: json({
      status: 'ok',
      series: [
        {
          pointlist: [
            [1, 3],
            [2, 4.2],
            [3, 9],
            [4, null],
          ],
        },
      ],
    }),
  },
  cloudwatch: {
    secret: { aws_access_key_id: 'AKID', aws_secret_access_key: 'secret', aws_session_token: 'session' },
    query: json([{ Id: 'e1', Expression: 'm1 / m2' }]),
    answer: json({
      Messages: [],
      MetricDataResults: [{ Id: 'e1', Label: 'e1', StatusCode: 'Complete', Values: [4.2, 9] }],
    }),
  },
  newrelic: {
    secret: { newrelic_account_id: '51312', newrelic_query_key: 'query-key' },
    query: 'SELECT filter(count(*), WHERE error) FROM Transaction',
    answer: json({ results: [{ result: 4.2 }], metadata: { contents: [] } }),
  },
  graphite: {
    address: 'http://graphite:8080',
    query: 'target=asPercent(sum(a.*),\n  sum(b.*))&from=-1min',
    answer: json([
      {
        target: 'a',
        tags: {},
        datapoints: [
          [1, 1],
          [4.2, 2],
          [null, 3],
        ],
      },
    ]),
  },
  influxdb: {
    address: 'http://influxdb:8086',
    secret: { org: 'shop', token: 'token' },
    query: 'from(bucket: "b") |> range(start: -1m) |> mean()',
    answer: influx([',,0,4.2,"a, ""b"""']),
  },
  dynatrace: {
    address: 'https://abc.live.dynatrace.com',
    secret: { dynatrace_token: 'dt0c01' },
    query: 'builtin:service.errors.total.rate',
    answer: json({ totalCount: 1, result: [{ metricId: 'm', data: [{ timestamps: [1], values: [4.2] }] }] }),
  },
  stackdriver: {
    secret: { project: 'shop', serviceAccountKey: account },
    query: 'fetch k8s_service | mean',
    answer: json({
      timeSeriesData: [{ pointData: [{ values: [{ doubleValue: 4.2 }] }, { values: [{ doubleValue: 9 }] }] }],
    }),
  },
};

/** Asks a provider that gives this answer; what it was asked is kept. */
async function ask(type: MetricProvider, text = RECORDED[type].answer, status = 200, secret = RECORDED[type].secret) {
  const { address = '', query } = RECORDED[type];
  const requests: ProviderRequest[] = [];
  const value = await PROVIDERS[type](query, {
    address,
    secret: new Map(Object.entries(secret ?? {})),
    region: 'eu-central-1',
    intervalMs: 60_000,
    now: NOW,
    exchange: async (request) => {
      requests.push(request);
      return request.url.includes('oauth2') ? { status: 200, text: '{"access_token":"token"}' } : { status, text };
    },
  });
  return { value, requests };
}

async function refusal(...args: Parameters<typeof ask>): Promise<string> {
  const error = await ask(...args).then(
    ({ value }) => ({ reason: 'passed', message: String(value) }),
    (thrown: QueryError) => thrown,
  );
  return `${error.reason}: ${error.message}`;
}

const types = Object.keys(PROVIDERS) as MetricProvider[];

describe('a provider', () => {
  test.each(types)('%s gives the value of a recorded answer', async (type) => {
    expect((await ask(type)).value).toBe(4.2);
  });

  test.each(types)('%s takes a page of HTML, a refusal and something else for errors', async (type) => {
    expect(await refusal(type, '<html><body>Log in</body></html>')).toMatch(/^(AnswerUnreadable|NoValue): /);
    expect(await refusal(type, '<html>Bad Gateway</html>', 502)).toBe(
      'ServerRefused: the server answered 502: Bad Gateway',
    );
    expect(await refusal(type, '{"a":1}')).toMatch(/^(AnswerUnreadable|NoValue): /);
  });

  test.each(types.filter((type) => type !== 'prometheus' && type !== 'graphite'))(
    '%s says which key its Secret lacks, and nothing of the others',
    async (type) => {
      const secret = Object.entries(RECORDED[type].secret ?? {});
      const [first] = secret;
      const said = await refusal(type, undefined, 200, { ...Object.fromEntries(secret), [first?.[0] ?? '']: '' });
      expect(said).toBe(`SecretUnreadable: the Secret of provider.secretRef has no ${first?.[0]}`);
    },
  );

  test.each<[MetricProvider, string, RegExp]>([
    ['prometheus', json({ status: 'success', data: { resultType: 'vector', result: [] } }), /^NoValue: .* no series/],
    [
      'prometheus',
      json({ data: { resultType: 'vector', result: [{ value: [1, '1'] }, { value: [1, '2'] }] } }),
      /^SeveralValues: the answer has 2 series; the query must come to one/,
    ],
    [
      'prometheus',
      json({ data: { resultType: 'vector', result: [{ value: [1, 'NaN'] }] } }),
      /^NotANumber: the value is "NaN"/,
    ],
    ['prometheus', json({ data: { resultType: 'scalar', result: [1, '+Inf'] } }), /^NotANumber/],
    ['prometheus', json({ data: { resultType: 'matrix', result: [] } }), /^SeveralValues: the query comes to a matrix/],
    ['datadog', json({ series: [] }), /^NoValue/],
    ['datadog', json({ series: [{ pointlist: [[1, null]] }] }), /^NoValue/],
    ['datadog', json({ series: [{ pointlist: [[1, 1]] }, { pointlist: [[1, 1]] }] }), /^SeveralValues/],
    ['cloudwatch', json({ MetricDataResults: [{ Values: [] }] }), /^NoValue/],
    ['cloudwatch', json({ MetricDataResults: [{ Values: [1] }, { Values: [2] }] }), /^SeveralValues/],
    ['cloudwatch', json({ MetricDataResults: [{ Values: [1], StatusCode: 'InternalError' }] }), /^ServerRefused/],
    ['newrelic', json({ results: [{ result: null }] }), /^NotANumber/],
    ['newrelic', json({ results: [{ average: 1, max: 2 }] }), /^SeveralValues/],
    ['graphite', json([]), /^NoValue/],
    ['graphite', json([{ datapoints: [[null, 1]] }]), /^NoValue/],
    ['graphite', json([{ datapoints: [[1, 1]] }, { datapoints: [[1, 1]] }]), /^SeveralValues/],
    ['influxdb', influx([]), /^NoValue/],
    ['influxdb', influx([',,0,1,a', ',,1,2,b']), /^SeveralValues/],
    ['influxdb', influx([',,0,,a']), /^NotANumber/],
    ['influxdb', ['error,reference', 'bad,897', ''].join('\n'), /^ServerRefused/],
    ['dynatrace', json({ result: [{ data: [{ values: [null] }] }] }), /^NotANumber/],
    ['dynatrace', json({ result: [{ data: [{ values: [1] }, { values: [2] }] }] }), /^SeveralValues/],
    ['stackdriver', json({}), /^NoValue/],
    [
      'stackdriver',
      json({ timeSeriesData: [{ pointData: [{ values: [{ doubleValue: 'NaN' }] }] }] }),
      /^AnswerUnreadable/,
    ],
    ['newrelic', json({ results: [{ result: { a: 1 } }] }), /^NotANumber: the value is an object,/],
    ['newrelic', json({ results: [{ result: 'a'.repeat(1000) }] }), /^NotANumber: the value is "a{200}",/],
  ])('%s has no value in %s', async (type, text, expected) => {
    expect(await refusal(type, text)).toMatch(expected);
  });

  test.each<[string, string, number, RegExp]>([
    ['tags that never end', '<'.repeat(100_000), 500, /^ServerRefused: the server answered 500: <{200}$/],
    [
      'lists in lists',
      `{"results":[{"a":${'['.repeat(15_000)}${']'.repeat(15_000)}}]}`,
      200,
      /^NotANumber: .* a list,/,
    ],
    ['many values', json({ results: Array(20_001).fill(0) }), 200, /^SeveralValues: .* more than 20000 values/],
  ])('does not keep the operator busy with %s', async (_, text, status, expected) => {
    const before = process.threadCpuUsage();
    expect(await refusal('newrelic', text, status)).toMatch(expected);
    const { user, system } = process.threadCpuUsage(before);
    expect((user + system) / 1000).toBeLessThan(200);
  });

  test('is asked as its API has it', async () => {
    const asked = async (type: MetricProvider) => (await ask(type)).requests.at(-1);
    const query = async (type: MetricProvider) => new URL((await asked(type))?.url ?? '').searchParams;
    expect((await query('prometheus')).get('query')).toBe('sum(rate(errors[1m]))');
    expect(Object.fromEntries(await query('datadog'))).toMatchObject({
      from: String(NOW / 1000 - 600),
      to: String(NOW / 1000),
    });
    expect((await query('newrelic')).get('nrql')).toMatch(/FROM Transaction SINCE 60 seconds ago$/);
    expect(Object.fromEntries(await query('graphite'))).toEqual({
      target: 'asPercent(sum(a.*), sum(b.*))',
      from: '-1min',
      format: 'json',
    });
    expect((await query('influxdb')).get('org')).toBe('shop');
    expect((await query('dynatrace')).get('resolution')).toBe('Inf');
    expect(await asked('influxdb')).toMatchObject({ method: 'POST', headers: { authorization: 'Token token' } });
    expect(await asked('datadog')).toMatchObject({ headers: { 'dd-api-key': 'key', 'dd-application-key': 'app' } });
    expect(await asked('dynatrace')).toMatchObject({ headers: { authorization: 'Api-Token dt0c01' } });
    const signed = await asked('cloudwatch');
    expect(signed).toMatchObject({ method: 'POST', url: 'https://monitoring.eu-central-1.amazonaws.com/' });
    expect(signed?.headers).toMatchObject({ 'x-amz-security-token': 'session' });
    expect(signed?.headers?.authorization).toContain('/20260101/eu-central-1/monitoring/aws4_request');
    const [token, series] = (await ask('stackdriver')).requests;
    const assertion = new URLSearchParams(token?.body).get('assertion') ?? '';
    const claims: unknown = JSON.parse(Buffer.from(assertion.split('.')[1] ?? '', 'base64url').toString());
    expect(claims).toMatchObject({ iss: 'heddle@p.iam.gserviceaccount.com', iat: NOW / 1000, exp: NOW / 1000 + 300 });
    expect(series).toMatchObject({ headers: { authorization: 'Bearer token' } });
  });

  test('that takes a password or a token is sent it', async () => {
    const asked = async (secret: Record<string, string>) =>
      (await ask('prometheus', undefined, 200, secret)).requests[0]?.headers?.authorization;
    expect(await asked({ username: 'a', password: 'b' })).toBe(`Basic ${Buffer.from('a:b').toString('base64')}`);
    expect(await asked({ token: 't' })).toBe('Bearer t');
    expect(await asked({})).toBeUndefined();
  });
});
