import { describe, expect, test } from '@jest/globals';
import { judgeVirtualService } from './virtual-service.ts';

const reviews = { host: 'reviews' };
const route = [{ destination: reviews }];
const http = (rule: object): object => ({ hosts: ['reviews'], http: [{ route, ...rule }] });

describe('A VirtualService', () => {
  test.each<[name: string, spec: unknown, field: string, message?: string]>([
    ['nothing', undefined, 'spec', 'must have one of http, tls and tcp'],
    ['no object', 'text', 'spec', 'must be an object'],
    ['no list of hosts', { hosts: 'reviews' }, 'spec.hosts', 'must be an array'],
    [
      'a number of another kind',
      http({ route: [{ destination: reviews, weight: 'much' }] }),
      'spec.http[0].route[0].weight',
      'must be a',
    ],
    ['no destination', http({ route: [{ weight: 1 }] }), 'spec.http[0].route[0].destination', 'is missing'],
    [
      'an unknown word',
      http({ corsPolicy: { unmatchedPreflights: 'DROP' } }),
      'spec.http[0].corsPolicy.unmatchedPreflights',
      'UNSPECIFIED, FORWARD, IGNORE',
    ],
    [
      'the key __proto__',
      JSON.parse(
        '{"hosts":["a"],"http":[{"match":[{"headers":{"__proto__":{"exact":"x"}}}],"route":[{"destination":{"host":"a"}}]}]}',
      ),
      'spec.http[0].match[0].headers',
      '__proto__',
    ],
    ['a null match of a header', http({ match: [{ headers: { a: null } }] }), 'spec.http[0].match[0].headers.a'],
    ['a host with a space', { hosts: ['re views'], http: [{ route }] }, 'spec.hosts[0]'],
    ['a wildcard in the middle', { hosts: ['a.*.com'], http: [{ route }] }, 'spec.hosts[0]'],
    ['a host twice', { hosts: ['a', 'a'], http: [{ route }] }, 'spec.hosts[1]', 'covered by "a"'],
    [
      'a host within another',
      { hosts: ['*.shop.example', '*.example'], http: [{ route }] },
      'spec.hosts[0]',
      'covered by "*.example"',
    ],
    [
      'every host for sidecars',
      { hosts: ['*'], gateways: ['a/b', 'mesh'], http: [{ route }] },
      'spec.hosts[0]',
      'for sidecars',
    ],
    ['a gateway that is none', { hosts: ['a'], gateways: ['a/b/c'], http: [{ route }] }, 'spec.gateways[0]'],
    ['a namespace that is none', { ...http({}), exportTo: ['a.b'] }, 'spec.exportTo[0]'],
    ['everybody and somebody', { ...http({}), exportTo: ['*', 'a'] }, 'spec.exportTo'],
    ['an export to nobody', { ...http({}), exportTo: ['~'] }, 'spec.exportTo[0]'],
    ['a delegate with TCP', { tcp: [{ route }] }, 'spec.tcp', 'a delegate'],
    ['a delegate that delegates', { http: [{ delegate: { name: 'a' } }] }, 'spec.http[0].delegate'],
    [
      'a delegate with a regex',
      { http: [{ route, match: [{ uri: { regex: '.*' } }] }] },
      'spec.http[0].match[0].uri.regex',
    ],
    ['a rule that does nothing', { hosts: ['a'], http: [{}] }, 'spec.http[0]', 'must have one of route'],
    ['two actions', http({ redirect: { uri: '/' } }), 'spec.http[0]', 'route and redirect'],
    ['route and delegate', http({ delegate: { name: 'a' } }), 'spec.http[0]', 'route and delegate'],
    [
      'a negative weight',
      http({ route: [{ destination: reviews, weight: -1 }] }),
      'spec.http[0].route[0].weight',
      'negative',
    ],
    [
      'weights that sum to 0',
      http({ route: [{ destination: reviews }, { destination: reviews, weight: 0 }] }),
      'spec.http[0].route',
      'above 0',
    ],
    [
      'weights beyond 32 bits',
      http({ route: [4e9, 4e9].map((weight) => ({ destination: reviews, weight })) }),
      'spec.http[0].route',
      'sum to at most',
    ],
    [
      'a destination everywhere',
      http({ route: [{ destination: { host: '*' } }] }),
      'spec.http[0].route[0].destination.host',
    ],
    [
      'port 0',
      http({ route: [{ destination: { host: 'a', port: { number: 0 } } }] }),
      'spec.http[0].route[0].destination.port.number',
    ],
    [
      'no number of a port',
      http({ route: [{ destination: { host: 'a', port: {} } }] }),
      'spec.http[0].route[0].destination.port.number',
    ],
    [
      'a subset that is none',
      http({ route: [{ destination: { host: 'a', subset: 'v 1' } }] }),
      'spec.http[0].route[0].destination.subset',
    ],
  ])('with %s is refused at its field', (_, spec, field, message = 'must') => {
    const { errors } = judgeVirtualService(spec);
    expect(errors).toContainEqual({ field, message: expect.stringContaining(message) });
    expect(errors.every((error) => !error.message.endsWith('.'))).toBe(true);
  });
});
