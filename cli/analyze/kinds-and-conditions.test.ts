import { expect, test } from '@jest/globals';
import { readMeshConfig } from '../../api/mesh-config.ts';
import { analyze } from './analysis.ts';
import { readDocuments } from './documents.ts';

function analyzeText(text: string) {
  const { objects: files, findings } = readDocuments('a.yaml', text);
  return analyze({ config: readMeshConfig(''), files, findings, cluster: [], namespace: 'default' });
}

test.each([
  ['{ accessLogging: [{ providers: [{ name: envoy }] }] }', 'IST0160'],
  ['{ selector: { matchLabels: { app: ui } }, accessLogging: [{ providers: [{ name: envoy }] }] }', 'IST0159'],
])('of two Telemetries alike, %s, the younger is told by %s', (spec, code) => {
  const telemetry = (name: string, year: number) => `
kind: Telemetry
apiVersion: telemetry.istio.io/v1
metadata: { name: ${name}, creationTimestamp: "${year}-01-01T00:00:00Z" }
spec: ${spec}
`;
  const deployment = `
kind: Deployment
apiVersion: apps/v1
metadata: { name: ui }
spec: { template: { metadata: { labels: { app: ui } }, spec: { containers: [{ name: app, image: shop }] } } }
`;
  const messages = analyzeText([telemetry('a', 2024), telemetry('b', 2025), deployment].join('---\n'));
  expect(messages.filter(({ level }) => level === 'Error').map((one) => [one.code, one.object.name])).toEqual([
    [code, 'b'],
  ]);
});

test.each([
  ['Telemetry', 'telemetry.istio.io/v1', '{ tracing: [{ randomSamplingPercentage: 5 }] }', 'IST0157'],
  ['DestinationRule', 'networking.istio.io/v1', '{ host: nobody }', 'IST0174'],
])('a %s (%s) of %s is told by %s', (kind, apiVersion, spec, code) => {
  const text = `{ kind: ${kind}, apiVersion: ${apiVersion}, metadata: { name: a }, spec: ${spec} }`;
  expect(analyzeText(text).map((one) => [one.code, one.level])).toEqual([[code, 'Warning']]);
});

test.each([
  ['networking.istio.io/v1', 'Gateway', 'Heddle has no Gateway of networking.istio.io'],
  ['networking.istio.io/v1', 'VirtualServce', 'Heddle has no VirtualServce of networking.istio.io'],
  ['heddle.dev/v1alpha1', 'VirtualService', 'Heddle has no VirtualService of heddle.dev'],
  ['networking.istio.io/v9', 'WorkloadEntry', 'WorkloadEntry has no version v9'],
  ['apps.example/v1', 'Gateway', undefined],
])('of %s %s is told: %s', (apiVersion, kind, message) => {
  const text = `{ apiVersion: ${apiVersion}, kind: ${kind}, metadata: { name: a }, spec: { address: 1.2.3.4 } }`;
  const told = analyzeText(text).flatMap((one) => (one.code === 'HED0008' ? [one.message] : []));
  expect(told).toEqual(message === undefined ? [] : [expect.stringContaining(message)]);
});

test('what judge and condition both say is told once, and a provider that is not there is worth a warning', () => {
  const text = `
apiVersion: telemetry.istio.io/v1
kind: Telemetry
metadata: { name: a }
spec: { metrics: [{ reportingInterval: 5s }], accessLogging: [{ providers: [{ name: nobody }] }] }
`;
  expect(analyzeText(text).map((one) => [one.code, one.field])).toEqual([
    ['HED0001', 'spec.accessLogging[0].providers'],
    ['IST0133', 'spec.metrics[0].reportingInterval'],
  ]);
});
