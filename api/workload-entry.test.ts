import { describe, expect, test } from '@jest/globals';
import { judgeWorkloadEntry, unsupportedWorkloadEntryFields } from './workload-entry-judgement.ts';

describe('judgeWorkloadEntry', () => {
  test.each<[string, object]>([
    ['an address', { address: '10.2.3.4', labels: { app: 'db', version: 'v1' }, serviceAccount: 'db' }],
    ['a name', { address: 'vm1.example.com', ports: { http: 8080 }, weight: 0 }],
    ['IPv6 in a zone', { address: 'fd00::1', locality: 'region/zone/subzone' }],
  ])('takes %s without a word', (_, spec) => {
    expect(judgeWorkloadEntry(spec)).toMatchObject({ errors: [], warnings: [] });
  });

  test.each<[string, unknown, string]>([
    ['nothing', {}, 'spec.address'],
    ['text', 'abc', 'spec'],
    ['an address that is none', { address: '10.0.0.300' }, 'spec.address'],
    ['an address with a port', { address: '10.0.0.3:80' }, 'spec.address'],
    ['a socket with a folder for a path', { address: 'unix:///a/' }, 'spec.address'],
    ['a port over the top', { address: '10.0.0.3', ports: { http: 70_000 } }, 'spec.ports[http]'],
    ['a port with a strange name', { address: '10.0.0.3', ports: { '@': 80 } }, 'spec.ports[@]'],
    ['a weight that is no number', { address: '10.0.0.3', weight: 'x' }, 'spec.weight'],
    ['a label no pod has', { address: '10.0.0.3', labels: { app: 'a b' } }, 'spec.labels[app]'],
  ])('refuses %s and names the field', (_, spec, field) => {
    expect(judgeWorkloadEntry(spec).errors).toContainEqual({ field, message: expect.stringMatching(/^must /) });
  });

  test.each<[string, object, string]>([
    ['a network without an address', { network: 'vm-network' }, 'spec.network'],
    ['a socket', { address: 'unix://@abstract' }, 'spec.address'],
  ])('takes %s and says that it is not in force', (_, spec, field) => {
    expect(judgeWorkloadEntry(spec)).toMatchObject({
      errors: [],
      warnings: [{ field, message: expect.stringMatching(/^is not in force/) }],
    });
  });

  test('warns of a locality of four parts', () => {
    const { errors, warnings } = judgeWorkloadEntry({ address: '10.0.0.3', locality: 'a/b/c/d' });
    expect([errors, warnings.map(({ field }) => field)]).toEqual([[], ['spec.locality']]);
  });
});

test('a network is named as not in force', () => {
  expect(unsupportedWorkloadEntryFields({ address: '10.0.0.3', network: 'n' })).toEqual([
    { field: 'spec.network', message: expect.stringContaining('is not in force') },
  ]);
});
