import { describe, expect, test } from '@jest/globals';
import { readMeshConfig } from './mesh-config.ts';
import { judgeTelemetry } from './telemetry-judgement.ts';

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
    [{ selector: {}, targetRefs: [{ kind: 'Service', name: 'a' }] }, 'spec.selector', 'must not be set beside'],
  ])('%j', (spec, field, message) => {
    const { errors } = judgeTelemetry(spec);
    expect(errors.map((one) => one.field.replace('[a]', '.a'))).toContain(field);
    expect(errors.map((one) => one.message).join()).toContain(message);
  });
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
