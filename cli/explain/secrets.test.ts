import { expect, test } from '@jest/globals';
import type { VirtualServiceSpec } from '../../api/virtual-service.ts';
import { authorizationPolicy, virtualService } from '../../operator/mesh/testing/objects.ts';
import { readHeader } from './explain-command.ts';
import { textOf } from './explain-in-cluster.ts';
import { readDestination } from './places.ts';
import { reportJson } from './report.ts';
import type { HttpRequest } from './request.ts';
import { ask, shop } from './testing/shop.ts';
import { formatReport } from './words.ts';

/** A token that the user gives to explain a request with it must not end up in a ticket with the explanation. */
const TOKEN = 'eyJhbGciOiJub25lIn0.eyJzdWIiOiJhIn0.c2lnbmF0dXJl';
const KEY = 'k3y-of-somebody';
const REQUEST: HttpRequest = {
  method: 'GET',
  scheme: 'http',
  authority: 'ordering',
  path: `/cart/${TOKEN}?access_token=${TOKEN}&a=1`,
  headers: [
    ['authorization', `Bearer ${TOKEN}`],
    ['x-api-key', KEY],
    ['cookie', `session=${KEY}`],
    ['x-jwt-copy', TOKEN],
    ['x-user', 'ann'],
  ],
};
const route = [{ destination: { host: 'ordering' } }];
const other = { exact: 'other' };

function told(http: NonNullable<VirtualServiceSpec['http']>, keys: readonly string[] = []): string {
  const when = keys.map((key) => ({ key, values: ['other'] }));
  const mesh = shop([
    { kind: 'VirtualService', object: virtualService('shop/routes', { hosts: ['ordering'], http }) },
    ...when.map((condition, index) => ({
      kind: 'AuthorizationPolicy' as const,
      object: authorizationPolicy(`shop/need-${index}`, { rules: [{ when: [condition] }] }),
    })),
  ]);
  const report = {
    from: { pod: 'shop/ui-1' },
    to: { text: textOf('ordering', 80, REQUEST), host: 'ordering', port: 80 },
    explanation: ask(mesh, REQUEST),
    live: [],
    notes: [],
  };
  return `${formatReport(report)}\n${JSON.stringify(reportJson(report))}`;
}

test('a report tells of what a request has without its secrets', () => {
  const matches = [
    ...['authorization', 'x-api-key', 'x-jwt-copy', 'x-user'].map((name) => ({ headers: { [name]: other } })),
    { headers: { cookie: { exact: 'session=other' } } },
    { queryParams: { access_token: other } },
    { uri: { exact: '/other' } },
  ];
  const keys = ['authorization', 'x-api-key', 'cookie', ':path', 'x-user'].map((name) => `request.headers[${name}]`);
  const text = told(
    [
      { name: 'first', match: matches, route },
      { name: 'rest', rewrite: { authority: 'other' }, route },
    ],
    keys,
  );
  expect(text).toContain('header x-user is \\"ann\\"');
  expect(text).toContain('request.headers[x-user] is ann');
  expect(text).toContain('header authorization is \\"[redacted]\\"');
  for (const secret of [TOKEN, KEY]) expect(text).not.toContain(secret);
});

test.each<NonNullable<VirtualServiceSpec['http']>[number]>([
  { redirect: { authority: 'elsewhere' } },
  { fault: { abort: { httpStatus: 418, percentage: { value: 100 } } }, route },
  { match: [{ withoutHeaders: { authorization: {} } }], route },
  { match: [{ withoutHeaders: { 'x-api-key': { prefix: 'k3y' } } }], route },
])('nor does it where %j', (one) => {
  const text = told([one]);
  for (const secret of [TOKEN, KEY]) expect(text).not.toContain(secret);
});

test.each([
  () => readHeader(`authorization Bearer ${TOKEN}`),
  () => readHeader(`x api key: ${KEY}`),
  () => readHeader(KEY),
  () => readDestination(`http://user:${KEY}@:x/?token=${TOKEN}`),
  () => readDestination(`ordering/?token=${TOKEN}`),
])('nor does an error (%#)', (read) => {
  let message = '';
  try {
    read();
  } catch (error) {
    message = (error as Error).message;
  }
  expect(message).not.toBe('');
  for (const secret of [TOKEN, KEY]) expect(message).not.toContain(secret);
});
