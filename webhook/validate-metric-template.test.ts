import { describe, expect, test } from '@jest/globals';
import { validateMetricTemplate } from './validate-metric-template.ts';

const prometheus = { type: 'prometheus', address: 'http://prometheus.monitoring:9090' };
const secretRef = { name: 'keys' };

describe('validateMetricTemplate', () => {
  test.each<[string, object, string]>([
    ['Prometheus', prometheus, 'sum(x{namespace="{{ namespace }}"})'],
    ['Datadog', { type: 'datadog', secretRef }, 'avg:x{*}'],
    ['CloudWatch', { type: 'cloudwatch', region: 'eu-central-1', secretRef }, '[{"Id": "e1"}]'],
  ])('accepts a query of %s', (_, provider, query) => {
    expect(validateMetricTemplate({ provider, query })).toEqual([]);
  });

  test.each<[string, unknown, string]>([
    ['no spec', undefined, 'spec: '],
    ['a provider that is none', { provider: { type: 'abacus' }, query: 'x' }, 'spec.provider.type: '],
    [
      'no address',
      { provider: { type: 'prometheus' }, query: 'x' },
      'spec.provider: address is required for prometheus',
    ],
    [
      'an address that is none',
      { provider: { type: 'prometheus', address: 'prometheus:9090' }, query: 'x' },
      'spec.provider: address must be a URL of http or https',
    ],
    [
      'a password in the address',
      { provider: { type: 'prometheus', address: 'http://a:b@prometheus' }, query: 'x' },
      'spec.provider: address must be a URL',
    ],
    ['no keys', { provider: { type: 'datadog' }, query: 'x' }, 'spec.provider: secretRef is required for datadog'],
    [
      'no region',
      { provider: { type: 'cloudwatch', secretRef }, query: '[]' },
      'spec.provider: region is required for cloudwatch',
    ],
    ['no query', { provider: prometheus, query: '' }, 'spec.query: '],
    [
      'a name that it does not know',
      { provider: prometheus, query: '{{ ingress }}' },
      'spec.query: {{ ingress }} is not known',
    ],
    [
      'a query of CloudWatch that is no list',
      { provider: { type: 'cloudwatch', region: 'eu-central-1', secretRef }, query: 'SELECT 1' },
      'spec.query: must be a list of MetricDataQueries in JSON',
    ],
  ])('refuses %s and names the field', (_, spec, expected) => {
    expect(validateMetricTemplate(spec)[0]).toContain(expected);
  });
});
