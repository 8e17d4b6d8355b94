import { describe, expect, test } from '@jest/globals';
import { judgeVirtualService } from './virtual-service.ts';

const reviews = { host: 'reviews' };
const route = [{ destination: reviews }];

describe('A rule of a VirtualService for TLS or TCP', () => {
  test.each<[name: string, spec: unknown, field: string, message?: string]>([
    ['TLS without a match', { hosts: ['a'], tls: [{ route, match: [] }] }, 'spec.tls[0].match'],
    ['TLS without SNI', { hosts: ['a'], tls: [{ route, match: [{ port: 1 }] }] }, 'spec.tls[0].match[0].sniHosts'],
    [
      'SNI beyond the hosts',
      { hosts: ['*.a.com'], tls: [{ route, match: [{ sniHosts: ['x.b.com'] }] }] },
      'spec.tls[0].match[0].sniHosts[0]',
      'add "x.b.com"',
    ],
    ['TCP to nowhere', { hosts: ['a'], tcp: [{}] }, 'spec.tcp[0].route'],
    [
      'a subnet that is none',
      { hosts: ['a'], tcp: [{ route, match: [{ destinationSubnets: ['10.0.0.0/33'] }] }] },
      'spec.tcp[0].match[0].destinationSubnets[0]',
    ],
    ['too many rules', { hosts: ['a'], http: Array.from({ length: 8193 }, () => ({ route })) }, 'spec', 'at most 8192'],
  ])('with %s is refused at its field', (_, spec, field, message = 'must') => {
    const { errors } = judgeVirtualService(spec);
    expect(errors).toContainEqual({ field, message: expect.stringContaining(message) });
    expect(errors.every((error) => !error.message.endsWith('.'))).toBe(true);
  });
});
