import { describe, expect, test } from '@jest/globals';
import { readMeshConfig } from './mesh-config.ts';
import { judgeTelemetry } from './telemetry-judgement.ts';

const TAGS = 'spec.metrics[0].overrides[0].tagOverrides';
function overriding(match: object, tagOverrides: object) {
  return { metrics: [{ overrides: [{ match, tagOverrides }] }] };
}

const tag = (value: unknown) => ({ tracing: [{ customTags: { a: value } }] });

describe('a Telemetry that is refused names the field', () => {
  test.each([
    [
      { tracing: [{ providers: [{ name: 'a' }, { name: 'b' }] }] },
      'spec.tracing[0].providers',
      'must name one provider',
    ],
    [{ tracing: [{ randomSamplingPercentage: 101 }] }, 'spec.tracing[0].randomSamplingPercentage', 'from 0 to 100'],
    [{ accessLogging: [{ filter: {} }] }, 'spec.accessLogging[0].filter.expression', 'leave the filter out'],
    [{ accessLogging: [{ filter: { expression: 'a b' } }] }, 'spec.accessLogging[0].filter.expression', 'CEL'],
    [{ accessLogging: [{ match: { mode: 'BOTH' } }] }, 'spec.accessLogging[0].match.mode', 'must be one of'],
    [{ accessLogging: [{ providers: [{ name: '' }] }] }, 'spec.accessLogging[0].providers[0].name', 'provider'],
    [tag({}), 'spec.tracing[0].customTags.a', 'must have one of literal'],
    [
      tag({ literal: { value: 'a' }, header: { name: 'b' } }),
      'spec.tracing[0].customTags.a',
      'must have one of literal',
    ],
    [tag({ literal: { value: '' } }), 'spec.tracing[0].customTags.a.literal.value', '1 to 1024'],
    [tag({ header: { name: 'a b' } }), 'spec.tracing[0].customTags.a.header.name', 'must name a header'],
    [tag({ formatter: { value: '%NOTHING%' } }), 'spec.tracing[0].customTags.a.formatter.value', 'no command'],
    [
      { metrics: [{ overrides: [{ tagOverrides: { a: { operation: 'UPSERT' } } }] }] },
      'spec.metrics[0].overrides[0].tagOverrides.a.value',
      'must be set',
    ],
    [
      { metrics: [{ overrides: [{ tagOverrides: { a: { operation: 'REMOVE', value: '1' } } }] }] },
      'spec.metrics[0].overrides[0].tagOverrides.a.value',
      'must not be set',
    ],
    [overriding({}, { a: { value: 'production' } }), `${TAGS}.a.value`, 'names "production"'],
    [overriding({}, { a: { value: '"'.concat('a'.repeat(300), '"') } }), `${TAGS}.a.value`, 'at most 256'],
    [overriding({}, { le: { value: '"a"' } }), `${TAGS}[le]`, 'must not be le'],
    [overriding({}, { __name__: { operation: 'REMOVE' } }), `${TAGS}[__name__]`, 'two underscores'],
    [overriding({}, { 'my-tag': { value: '"a"' } }), `${TAGS}[my-tag]`, 'the name of a label'],
    [
      overriding({ metric: 'REQUEST_COUNT', customMetric: 'x' }, {}),
      'spec.metrics[0].overrides[0].match.customMetric',
      'beside metric',
    ],
    [{ metrics: [{ overrides: Array(65).fill({}) }] }, 'spec.metrics[0].overrides', 'at most 64'],
    [{ selector: {}, targetRefs: [{ kind: 'Service', name: 'a' }] }, 'spec.selector', 'must not be set beside'],
  ])('%j', (spec, field, message) => {
    const { errors } = judgeTelemetry(spec);
    expect(errors.map((one) => one.field.replace('[a]', '.a'))).toContain(field);
    expect(errors.map((one) => one.message).join()).toContain(message);
  });
});

test.each([
  [overriding({ metric: 'GRPC_REQUEST_MESSAGES' }, {}), 'match.metric', 'is not in force'],
  [overriding({ customMetric: 'mine' }, {}), 'match.customMetric', 'no metric "mine"'],
  [overriding({}, { a: { operation: 'REMOVE' } }), 'tagOverrides[a]', 'no label that metrics have'],
  [overriding({}, { a: { value: 'request.path' } }), 'tagOverrides[a].value', 'very many values'],
  [
    { metrics: [{ overrides: [{ disabled: true, tagOverrides: { a: { value: '1' } } }] }] },
    'tagOverrides',
    'has no effect',
  ],
])('%j is taken with a warning', (spec, field, message) => {
  const { errors, warnings } = judgeTelemetry(spec);
  expect(errors).toEqual([]);
  expect(warnings).toEqual([
    { field: `spec.metrics[0].overrides[0].${field}`, message: expect.stringContaining(message) },
  ]);
});

test('of metrics what Istio shows in its guides is taken without a word', () => {
  const value = {
    request_method: { value: 'request.method' },
    destination_port: { value: 'string(destination.port)' },
  };
  const specs = [
    overriding({ metric: 'REQUEST_COUNT' }, value),
    overriding({ metric: 'ALL_METRICS' }, { response_code: { operation: 'REMOVE' }, a: { value: "'b'" } }),
    { metrics: [{ providers: [{ name: 'prometheus' }], overrides: [{ match: { mode: 'CLIENT' }, disabled: true }] }] },
  ];
  for (const spec of specs) expect(judgeTelemetry(spec)).toMatchObject({ errors: [], warnings: [] });
});

test('one that changes nothing is taken with a warning', () => {
  expect(judgeTelemetry({})).toMatchObject({ errors: [], warnings: [{ field: 'spec' }] });
});

describe('providers of the mesh configuration', () => {
  const read = (yaml: string) => () => readMeshConfig(yaml);

  test('may be told by default', () => {
    const { defaultProviders } = readMeshConfig('defaultProviders: {accessLogging: [envoy], metrics: [prometheus]}');
    expect(defaultProviders).toEqual({ tracing: [], accessLogging: ['envoy'], metrics: ['prometheus'] });
  });

  test.each([
    [
      'defaultProviders: {accessLogging: [a]}',
      'defaultProviders.accessLogging.0: must name one of extensionProviders: ',
    ],
    ['defaultProviders: {tracing: [envoy]}', 'the provider "envoy" is of envoyFileAccessLog, and tracing takes'],
    ['extensionProviders: [{name: a, envoyFileAccessLog: {path: /tmp/a}}]', 'must be /dev/stdout or /dev/stderr'],
    ['extensionProviders: [{name: a, envoyFileAccessLog: {path: /dev/stdout, logFormat: {text: "%X%"}}}]', '%X%'],
    [
      'extensionProviders: [{name: a, envoyFileAccessLog: {path: /dev/stdout, logFormat: {text: "%REQ%"}}}]',
      'an argument',
    ],
    ['extensionProviders: [{name: a, zipkin: {service: z.example.com, port: 9411, other: 1}}]', 'other'],
    ['extensionProviders: [{name: a, stackdriver: {}}]', 'stackdriver'],
    ['extensionProviders: [{name: a, opentelemetry: {service: o, port: 4317}}]', 'must be a hostname'],
    [
      'extensionProviders: [{name: a, prometheus: {}, zipkin: {service: z.example.com, port: 9411}}]',
      'must have one of',
    ],
  ])('are refused by the name of the field: %s', (yaml, message) => expect(read(yaml)).toThrow(message));
});
