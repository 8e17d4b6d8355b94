import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { serviceEntrySpec } from './service-entry.ts';
import { judgeServiceEntry, unsupportedServiceEntryFields } from './service-entry-judgement.ts';
import { sidecarSpec } from './sidecar.ts';
import { judgeSidecar, unsupportedSidecarFields } from './sidecar-judgement.ts';
import { workloadEntrySpec } from './workload-entry.ts';
import { judgeWorkloadEntry, unsupportedWorkloadEntryFields } from './workload-entry-judgement.ts';

/** JSON as a parser makes it: `__proto__` is a key like any other there. */
const json = fc.jsonValue({ maxDepth: 3 }).map((value): unknown => JSON.parse(JSON.stringify(value)));
const text = fc.oneof(
  fc.constantFrom(
    '*',
    './*',
    '~/*',
    'a.b',
    '10.0.0.1',
    '::',
    'unix://',
    'unix:///a',
    '127.0.0.1:80',
    '',
    'HTTP',
    'NONE',
  ),
  fc.constantFrom('STATIC', 'DNS', '__proto__', 'constructor', '10.0.0.0/8', '1s', '-1s'),
  fc.string(),
);
const leaf = fc.oneof(text, fc.integer({ min: -2, max: 70_000 }), fc.boolean(), fc.constant(null), json);

/** Objects with the fields of a kind, whose values are of any shape, so that checks behind the schema are reached too. */
const shaped = (names: readonly string[]): fc.Arbitrary<unknown> => {
  const { node } = fc.letrec<{ node: unknown }>((tie) => ({
    node: fc.oneof(
      { maxDepth: 5, depthSize: 'small' },
      leaf,
      fc.array(tie('node'), { maxLength: 3 }),
      fc.dictionary(fc.constantFrom(...names, '__proto__', 'constructor'), tie('node'), { maxKeys: 6 }),
    ),
  }));
  return node.map((value): unknown => JSON.parse(JSON.stringify(value)));
};

const names = (schema: { readonly shape: object }): string[] => Object.keys(schema.shape);
const inner = [
  'number',
  'name',
  'protocol',
  'address',
  'port',
  'labels',
  'hosts',
  'tcp',
  'http',
  'mode',
  'host',
  'bind',
];

describe('a judgement of anything at all', () => {
  test.each([
    ['ServiceEntry', serviceEntrySpec, judgeServiceEntry],
    ['WorkloadEntry', workloadEntrySpec, judgeWorkloadEntry],
    ['Sidecar', sidecarSpec, judgeSidecar],
  ] as const)('%s: ends in sentences about fields of the spec', (_, schema, judge) => {
    const anything = fc.oneof(json, shaped([...names(schema), ...inner]));
    fc.assert(
      fc.property(anything, (spec) => {
        const { errors, warnings } = judge(spec);
        for (const { field, message } of [...errors, ...warnings]) {
          expect(field).toMatch(/^spec/);
          expect(message).not.toBe('');
        }
      }),
    );
  });

  test('what the schema takes can be asked for what is not in force', () => {
    const ask = {
      serviceEntry: (spec: unknown) => unsupportedServiceEntryFields(serviceEntrySpec.parse(spec)),
      workloadEntry: (spec: unknown) => unsupportedWorkloadEntryFields(workloadEntrySpec.parse(spec)),
      sidecar: (spec: unknown) => unsupportedSidecarFields(sidecarSpec.parse(spec)),
    };
    expect(ask.serviceEntry({ hosts: [], ports: [], endpoints: [] })).toEqual([]);
    expect(ask.workloadEntry({})).toEqual([]);
    expect(ask.sidecar({ ingress: [], egress: [], outboundTrafficPolicy: {} })).toEqual([]);
  });
});
