import { expect, test } from '@jest/globals';
import { HeaderValueOption_HeaderAppendAction as Append } from '../../generated/envoy/envoy/config/core/v3/base_pb.js';
import { buildHeaderMutations, requestedHost } from './header-operations.ts';
import { headers } from './testing/http-rule-fixture.ts';

test('headers are removed, set and added to, on either side', () => {
  const rules = headers(
    { set: [['x-a', '1']], add: [['x-b', '%REQ(x-c)%']], remove: ['x-d'] },
    { set: [['x-e', '2']], add: [['x-f', '3']], remove: ['x-g'] },
  );
  expect(buildHeaderMutations(rules)).toMatchObject({
    requestHeadersToAdd: [
      { header: { key: 'x-a', value: '1' }, appendAction: Append.OVERWRITE_IF_EXISTS_OR_ADD },
      { header: { key: 'x-b', value: '%REQ(x-c)%' }, appendAction: Append.APPEND_IF_EXISTS_OR_ADD },
    ],
    requestHeadersToRemove: ['x-d'],
    responseHeadersToAdd: [
      { header: { key: 'x-e', value: '2' }, appendAction: Append.OVERWRITE_IF_EXISTS_OR_ADD },
      { header: { key: 'x-f', value: '3' }, appendAction: Append.APPEND_IF_EXISTS_OR_ADD },
    ],
    responseHeadersToRemove: ['x-g'],
  });
});

test.each(['host', 'Host', ':authority', ':path'])('%s is left to others, as Envoy refuses it', (name) => {
  const operations = { set: [[name, 'x']], add: [[name, 'y']], remove: [name] } as const;
  const mutations = buildHeaderMutations(headers(operations, operations));
  expect(Object.values(mutations).flat()).toEqual([]);
});

test.each([
  [headers({}), undefined],
  [headers({ set: [['host', '']] }), undefined],
  [headers({ add: [[':authority', 'a.example']] }), 'a.example'],
  [headers({ set: [['HOST', 'b.example']], add: [['host', 'a.example']] }), 'b.example'],
  [headers({}, { set: [['host', 'b.example']] }), undefined],
])('the host asked for, case %#', (rules, host) => {
  expect(requestedHost(rules)).toBe(host);
});
