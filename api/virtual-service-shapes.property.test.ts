import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { judgeVirtualService } from './virtual-service.ts';

describe('a VirtualService', () => {
  test('of any shape is judged and never throws', () => {
    const near = fc.letrec((tie) => ({
      value: fc.oneof({ depthSize: 'small' }, fc.jsonValue(), fc.array(tie('value'), { maxLength: 3 }), tie('object')),
      object: fc.dictionary(
        fc.constantFrom(
          'hosts',
          'http',
          'tls',
          'tcp',
          'match',
          'route',
          'destination',
          'host',
          'uri',
          'regex',
          'headers',
          'fault',
          'weight',
          '__proto__',
          'constructor',
        ),
        tie('value'),
      ),
    }));
    fc.assert(
      fc.property(fc.oneof(fc.jsonValue(), near.object), (spec) => {
        expect(judgeVirtualService(spec).errors.length).toBeGreaterThan(0);
      }),
      { numRuns: 100 },
    );
  });
});
