import { describe, expect, test } from '@jest/globals';
import { serviceEntryStatus } from './service-entry.ts';
import { judgeServiceEntry, unsupportedServiceEntryFields } from './service-entry-judgement.ts';

type Fields = Record<string, unknown>;
const http = { number: 80, name: 'http', protocol: 'HTTP' };
const tcp = { number: 3306, name: 'db', protocol: 'TCP' };
const entry = (fields: Fields): Fields => ({ hosts: ['api.example.com'], ports: [http], resolution: 'DNS', ...fields });
const statically = (endpoints: unknown, fields: Fields = {}): Fields =>
  entry({ resolution: 'STATIC', endpoints, ...fields });
const texts = (problems: readonly { field: string; message: string }[]): string[] =>
  problems.map(({ field, message }) => `${field}: ${message}`);

describe('judgeServiceEntry', () => {
  test.each<[string, Fields]>([
    ['a name that is resolved', entry({})],
    ['hosts of HTTPS, let through', { hosts: ['a.example', '*.b.example'], ports: [{ ...tcp, protocol: 'TLS' }] }],
    ['a database at an address', { hosts: ['db.example'], addresses: ['10.0.0.0/24'], ports: [tcp] }],
    ['endpoints with ports of their own', statically([{ address: '10.1.1.1', ports: { http: 8080 } }])],
    ['endpoints in IPv6', statically([{ address: '2001:db8::1' }, { address: '::ffff:10.0.0.1' }])],
    ['endpoints in zones, with weights', statically([{ address: '10.1.1.1', locality: 'eu/a', weight: 3 }])],
    ['a wildcard whose endpoints have names', entry({ hosts: ['*.example'], endpoints: [{ address: 'a.example' }] })],
    ['workloads by their labels', entry({ resolution: 'STATIC', workloadSelector: { labels: { app: 'db' } } })],
    ['a name with a selector', entry({ workloadSelector: { labels: { app: 'db' } }, subjectAltNames: ['sa'] })],
    ['one export of each form', entry({ exportTo: ['.', 'shop'] })],
    ['an export to nobody', entry({ exportTo: ['~'] })],
    ['a protocol in lower case', entry({ ports: [{ ...http, protocol: 'grpc-web' }] })],
    ['a port without a protocol', entry({ addresses: ['10.0.0.1'], ports: [{ number: 80, name: 'a' }] })],
    ['a name with a final dot and capitals', entry({ hosts: ['API.example.com.'] })],
    ['fields of later versions', entry({ later: { a: 1 } })],
    ['null for what is left out', entry({ endpoints: null, location: null })],
  ])('takes %s without a word', (_, spec) => {
    expect(judgeServiceEntry(spec)).toMatchObject({ errors: [], warnings: [] });
  });

  test.each<[string, Fields | undefined, string]>([
    ['nothing', undefined, 'spec.hosts: must be an array, and is missing'],
    ['no hosts', entry({ hosts: [] }), 'spec.hosts: must name at least one host'],
    ['every host', entry({ hosts: ['*'] }), 'spec.hosts[0]: must not be "*"'],
    ['an address for a host', entry({ hosts: ['10.0.0.1'] }), 'spec.hosts[0]: must be a DNS name'],
    ['a wildcard in the middle', entry({ hosts: ['a.*.example'] }), 'spec.hosts[0]: must be a DNS name'],
    ['a wildcard that can not be resolved', entry({ hosts: ['*.example'] }), 'spec.hosts[0]: must have no wildcard'],
    ['an address that is none', entry({ addresses: ['10.0.0.256'] }), 'spec.addresses[0]: must be an IP address'],
    ['a range too long', entry({ addresses: ['10.0.0.0/33'] }), 'spec.addresses[0]: must be an IP address'],
    [
      'a range of a resolved name',
      entry({ addresses: ['10.0.0.0/8'] }),
      'must be a single address with resolution DNS',
    ],
    ['port 0', entry({ ports: [{ ...http, number: 0 }] }), 'spec.ports[0].number: must be a port from 1 to 65535'],
    ['a port over the top', entry({ ports: [{ ...http, targetPort: 70_000 }] }), 'spec.ports[0].targetPort: must be'],
    ['a port as text', entry({ ports: [{ ...http, number: '80' }] }), 'spec.ports[0].number: must be a'],
    ['a port twice', entry({ ports: [http, { ...http, name: 'b' }] }), 'spec.ports[1].number: must be unique'],
    ['a name twice', entry({ ports: [http, { ...http, number: 81 }] }), 'spec.ports[1].name: must be unique'],
    ['a name that is none', entry({ ports: [{ ...http, name: 'a_b' }] }), 'spec.ports[0].name: must be a name'],
    ['a strange protocol', entry({ ports: [{ ...http, protocol: 'SMTP' }] }), 'spec.ports[0].protocol: must be one of'],
    ['an unknown resolution', entry({ resolution: 'MAGIC' }), 'spec.resolution: must be one of NONE, STATIC'],
    ['endpoints of NONE', { ...statically([{ address: '10.1.1.1' }]), resolution: 'NONE' }, 'spec.endpoints: must be'],
    ['a static name', statically([{ address: 'a.example' }]), 'spec.endpoints[0].address: must be an IP address'],
    ['no address', statically([{ weight: 1 }]), 'spec.endpoints[0].address: must be set'],
    [
      'a name that is none',
      entry({ endpoints: [{ address: 'a_b' }] }),
      'spec.endpoints[0].address: must be a DNS name',
    ],
    ['a resolved socket', entry({ endpoints: [{ address: 'unix:///a' }] }), 'spec.endpoints[0].address: must be a DNS'],
    ['a socket that is none', statically([{ address: 'unix://a' }]), 'must be the absolute path of a socket'],
    [
      'a socket with ports',
      statically([{ address: 'unix:///a', ports: { http: 1 } }]),
      'spec.endpoints[0].ports: must',
    ],
    [
      'a socket of two ports',
      statically([{ address: 'unix:///a' }], { ports: [http, tcp] }),
      'spec.ports: must be exact',
    ],
    ['another port', statically([{ address: '10.1.1.1', ports: { web: 1 } }]), 'spec.endpoints[0].ports[web]: must be'],
    ['a port that is none', statically([{ address: '10.1.1.1', ports: { http: 0 } }]), 'spec.endpoints[0].ports[http]'],
    ['a negative weight', statically([{ address: '10.1.1.1', weight: -1 }]), 'spec.endpoints[0].weight: '],
    [
      'labels no pod has',
      statically([{ address: '10.1.1.1', labels: { 'a b': '' } }]),
      'spec.endpoints[0].labels[a b]',
    ],
    [
      'two names in turn',
      entry({ resolution: 'DNS_ROUND_ROBIN', endpoints: [{ address: 'a' }, { address: 'b' }] }),
      'at most one',
    ],
    ['a selector beside endpoints', statically([], { workloadSelector: {} }), 'spec.workloadSelector: must not be set'],
    ['a wildcard label', entry({ workloadSelector: { labels: { app: '*' } } }), 'spec.workloadSelector.labels[app]'],
    [
      'two hosts on TCP',
      entry({ hosts: ['a.b', 'c.d'], ports: [tcp] }),
      'spec.ports[0].protocol: must tell the 2 hosts',
    ],
    ['all and some', entry({ exportTo: ['*', 'shop'] }), 'spec.exportTo: must have "*" alone'],
    ['a single name, dynamically', entry({ resolution: 'DYNAMIC_DNS' }), 'spec.hosts[0]: must have a wildcard'],
  ])('refuses %s and names the field', (_, spec, expected) => {
    expect(texts(judgeServiceEntry(spec).errors).join('\n')).toContain(expected);
  });

  test.each<[string, Fields, string]>([
    ['a port of every address', { hosts: ['a.b'], ports: [tcp] }, 'spec.ports[0]: captures every address'],
    ['static without endpoints', entry({ resolution: 'STATIC' }), 'spec.endpoints: is empty, as is workloadSelector'],
    ['no ports', entry({ ports: [] }), 'spec.ports: is empty'],
    [
      'a target that is ignored',
      { hosts: ['a.b'], ports: [{ ...http, targetPort: 81 }] },
      'spec.ports[0].targetPort: has',
    ],
    ['a selector of nothing', { hosts: ['a.b'], ports: [http], workloadSelector: {} }, 'spec.workloadSelector: has no'],
    ['a host twice', entry({ hosts: ['a.b', 'A.b'] }), 'spec.hosts[1]: "A.b" stands there already'],
    [
      'an odd locality',
      statically([{ address: '10.1.1.1', locality: 'a//b' }]),
      'spec.endpoints[0].locality: should be',
    ],
  ])('takes %s and warns', (_, spec, expected) => {
    const { errors, warnings } = judgeServiceEntry(spec);
    expect([errors, texts(warnings).join('\n')]).toEqual([[], expect.stringContaining(expected)]);
  });
});

describe('unsupportedServiceEntryFields', () => {
  test.each<[string, Fields, string[]]>([
    ['nothing of a usual one', entry({}), []],
    ['dynamic names', entry({ resolution: 'DYNAMIC_DNS' }), ['spec.resolution']],
    [
      'sockets and networks',
      statically([{ address: 'unix:///a' }, { network: 'n' }]),
      ['spec.endpoints[0].address', 'spec.endpoints[1].network'],
    ],
    ['datagrams', entry({ ports: [{ number: 53, name: 'dns', protocol: 'UDP' }] }), ['spec.ports[0].protocol']],
  ])('names %s', (_, spec, fields) => {
    const found = unsupportedServiceEntryFields({ hosts: [], ...spec });
    expect(found.map(({ field }) => field)).toEqual(fields);
    for (const { message } of found) expect(message).toMatch(/^is not in force: /);
  });
});

test('the status has the addresses that were given out, and stays open', () => {
  const status = { addresses: [{ value: '240.240.0.1', host: 'a.b' }], conditions: [], later: 1 };
  expect(serviceEntryStatus.parse(status)).toEqual(status);
});
