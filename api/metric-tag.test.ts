import { expect, test } from '@jest/globals';
import { hasManyValues, readMetricTag } from './metric-tag.ts';

test.each([
  ['"shop"', { constant: 'shop' }],
  ["'it\\'s'", { constant: "it's" }],
  ['""', { constant: '' }],
  ['7', { constant: '7' }],
  ['true', { constant: 'true' }],
  [' request.method ', { expression: 'request.method' }],
  ['string(destination.port)', { expression: 'destination.port' }],
  ["request.method == 'GET' ? 'read' : 'write'", { expression: "request.method == 'GET' ? 'read' : 'write'" }],
  ["request.headers['x']", { expression: "request.headers['x']" }],
])('reads %s', (text, wanted) => {
  expect(readMetricTag(text)).toEqual(wanted);
});

test.each([
  ['', 'must be set for UPSERT'],
  ['string()', 'must not call string, which Envoy does not have here'],
  ['string(request.host) == string(request.path)', 'must not call string, which Envoy does not have here'],
  ['node.metadata["a"]', /must be about request, .* and names "node"/],
  ['production', /must be about request, .* and names "production"/],
  ['request.method ==', /must be an expression in CEL/],
  ["request.host + '!'", 'must not put texts together with "+", which Envoy does not do here'],
  ['request.method\n', undefined],
  ['request.method == \n"GET"', 'must stand on one line, without tabs'],
  ['size(request.path)%2', 'must have a blank before a per cent sign that follows a bracket'],
  ['true ? (1):5%2', 'must have a blank before a per cent sign that follows a bracket'],
  ['size(request.path) % 2', undefined],
])('of %j says what is wrong', (text, problem) => {
  const read = readMetricTag(text);
  const said = 'problem' in read ? read.problem : undefined;
  if (problem instanceof RegExp) expect(said).toMatch(problem);
  else expect(said).toBe(problem);
});

test('knows what callers choose', () => {
  expect(['request.path', "request.headers['a']", 'source.port', 'request.time'].map(hasManyValues)).toEqual([
    ...Array.from({ length: 4 }, () => true),
  ]);
  expect(['request.method', 'response.code', 'connection.mtls'].some(hasManyValues)).toBe(false);
});
