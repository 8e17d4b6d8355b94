import { expect, test } from '@jest/globals';
import fc from 'fast-check';
import { buildSnapshot } from '../mesh/mesh-builder.ts';
import { SETTINGS, service } from '../mesh/testing/objects.ts';
import { ServiceSelectors } from './service-selectors.ts';

const labels = fc.dictionary(fc.constantFrom('app', 'version', 'tier'), fc.constantFrom('', 'a', 'b'), { maxKeys: 3 });

test('Services are found by their pods, whatever labels they select by', () => {
  fc.assert(
    fc.property(fc.array(labels, { maxLength: 8 }), fc.array(labels, { maxLength: 3 }), (selectors, pods) => {
      const objects = selectors.map((selector, index) => ({
        kind: 'Service' as const,
        object: service(`s${index}`, selector),
      }));
      const { services } = buildSnapshot(SETTINGS, objects);
      const wanted = [...services.values()].filter(({ selector }) => {
        const pairs = Object.entries(selector);
        return pairs.length > 0 && pods.some((pod) => pairs.every(([name, value]) => pod[name] === value));
      });
      const found = new ServiceSelectors(services.values());
      const asked = pods.map((pod) => ({ labels: pod }));
      expect(found.hostnames('shop', asked)).toEqual(wanted.map(({ hostname }) => hostname).sort());
      expect(found.hostnames('other', asked)).toEqual([]);
    }),
  );
});
