import { describe, expect, test } from '@jest/globals';
import { NETWORKING_RESOURCES } from '../api/networking-resources.ts';
import { judgeOf } from './policy-judges.ts';
import type { AdmissionRequest } from './review.ts';
import { validateObject } from './validate.ts';

const cluster = {
  isOurs: (namespace: string) => namespace === 'shop',
  judgeTarget: async () => [],
  findCanary: () => undefined,
};
const request = (kind: string, spec: unknown, namespace = 'shop', version = 'v1'): AdmissionRequest => ({
  uid: 'u',
  kind: { group: 'networking.istio.io', version, kind },
  operation: 'CREATE',
  name: 'x',
  namespace,
  object: { spec },
});
const http = { number: 80, name: 'http', protocol: 'HTTP' };
const route = [{ destination: { host: 'ui' } }];
const tcp = (number: number): object => ({ number, name: `p${number}`, protocol: 'TCP' });

describe("validation of Istio's traffic kinds", () => {
  test.each(NETWORKING_RESOURCES)('$kind has a judge, which refuses what is no object', ({ group, kind }) => {
    expect(judgeOf({ group, kind })?.([]).problems).toEqual(['spec: must be an object']);
  });

  test.each([
    ['a VirtualService', 'VirtualService', { hosts: ['ui'], http: [{ route }] }],
    ['a DestinationRule', 'DestinationRule', { host: 'ui', subsets: [{ name: 'v1', labels: { version: 'v1' } }] }],
    ['a ServiceEntry', 'ServiceEntry', { hosts: ['a.example'], ports: [http], resolution: 'DNS' }],
    ['a WorkloadEntry', 'WorkloadEntry', { address: '10.0.0.1' }],
    ['a Sidecar', 'Sidecar', { egress: [{ hosts: ['./*'] }] }],
  ])('takes %s of Istio in every version', async (_, kind, spec) => {
    for (const version of ['v1', 'v1beta1', 'v1alpha3']) {
      expect(await validateObject(request(kind, spec, 'shop', version), cluster)).toEqual({});
    }
  });

  test('names kind, object and every field of a refusal', async () => {
    const spec = { hosts: ['*'], ports: [{ ...http, number: 0 }], exportTo: ['*', '.'] };
    const { refusal } = await validateObject(request('ServiceEntry', spec), cluster);
    expect(refusal).toMatch(
      /^ServiceEntry shop\/x: spec\.hosts\[0]: .*; spec\.ports\[0]\.number: .*; spec\.exportTo: /,
    );
  });

  test('says what of a VirtualService is never reached, and takes it', async () => {
    const spec = { hosts: ['ui'], http: [{ route }, { match: [{ uri: { prefix: '/a' } }], route }] };
    const { refusal, warnings } = await validateObject(request('VirtualService', spec), cluster);
    expect(refusal).toBeUndefined();
    expect(warnings).toEqual([expect.stringMatching(/^spec\.http\[1].*spec\.http\[0]/)]);
  });

  test('has no say in namespaces of others', async () => {
    expect(await validateObject(request('Sidecar', { egress: [] }, 'other'), cluster)).toEqual({});
  });

  test('names ten warnings, each short enough for the API server, and counts the others', async () => {
    const ports = Array.from({ length: 14 }, (_, index) => tcp(index + 1));
    const { warnings } = await validateObject(request('ServiceEntry', { hosts: ['a.example'], ports }), cluster);
    expect(warnings).toHaveLength(11);
    expect(warnings?.[10]).toBe('and 4 more');
  });

  test('cuts a warning that is too long between characters', async () => {
    const locality = `${'😀'.repeat(300)}//`;
    const { warnings = [] } = await validateObject(
      request('WorkloadEntry', { address: '10.0.0.1', locality }),
      cluster,
    );
    expect(warnings.map(({ length }) => length < 256)).toEqual([true]);
    expect(warnings[0]?.isWellFormed()).toBe(true);
  });

  test('keeps a refusal within bounds, however much is wrong', async () => {
    const hosts = Array.from({ length: 300 }, () => `_${'x'.repeat(5000)}`);
    const { refusal = '' } = await validateObject(request('ServiceEntry', { hosts, ports: [http] }), cluster);
    expect(refusal.length).toBeLessThan(25_000);
    expect(refusal).toMatch(/; and \d+ more$/);
  });
});
