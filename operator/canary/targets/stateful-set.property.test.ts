import { expect, test } from '@jest/globals';
import fc from 'fast-check';
import { name, StatefulSetModel } from './stateful-set-model.fixture.ts';

type Event = readonly [
  kind: 'release' | 'evict' | 'scale' | 'start' | 'controller' | 'operator' | 'time',
  value: number,
];

const event: fc.Arbitrary<Event> = fc.oneof(
  {
    weight: 1,
    arbitrary: fc.tuple(fc.constantFrom('release' as const, 'evict' as const, 'scale' as const), fc.nat({ max: 5 })),
  },
  {
    weight: 6,
    arbitrary: fc.tuple(
      fc.constantFrom('start' as const, 'controller' as const, 'operator' as const, 'time' as const),
      fc.nat({ max: 12 }),
    ),
  },
);

const TEMPLATES = ['good1', 'bad1', 'good2', 'bad2', 'good0', 'good3'];

function happen(model: StatefulSetModel, [kind, value]: Event): void {
  if (kind === 'release') model.release(TEMPLATES[value] ?? 'good1');
  else if (kind === 'evict') model.evict(value);
  else if (kind === 'scale') model.replicas = 2 + value;
  else if (kind === 'start') model.start();
  else if (kind === 'controller') model.reconcile();
  else if (kind === 'operator') model.operate();
  else model.now += value * 1000;
}

/** Lets time pass and everybody work. */
function settle(model: StatefulSetModel): void {
  for (let round = 0; round < 120; round++) {
    model.now += 3000;
    model.reconcile();
    model.start();
    model.operate();
  }
}

test.each([
  ['OrderedReady', true],
  ['Parallel', false],
])('over any schedule a %s StatefulSet gets where it should, and never serves what has failed', (_, ordered) => {
  const ends = new Set<string>();
  fc.assert(
    fc.property(fc.array(event, { maxLength: 60 }), (events) => {
      const model = new StatefulSetModel(ordered);
      settle(model);
      for (const one of events) {
        happen(model, one);
        expect(model.serving().filter((revision) => revision.startsWith('bad'))).toEqual([]);
      }
      settle(model);
      const { phase = '' } = model.status;
      ends.add(phase);
      if (model.template.startsWith('bad')) {
        // One pod is out, and all the others serve what was good before.
        expect({ phase, serving: model.serving().length }).toEqual({ phase: 'Failed', serving: model.replicas - 1 });
        model.release('good0');
        settle(model);
      }
      expect(model.status).toMatchObject({ stableRevision: name(model.template), weight: 0 });
      expect(model.serving()).toEqual(Array.from({ length: model.replicas }, () => model.template));
    }),
    // Whatever chance brings, one release of each kind is among them.
    { numRuns: 40, examples: [[[['release', 0]]], [[['release', 1]]]] },
  );
  expect([...ends]).toEqual(expect.arrayContaining(['Failed', 'Succeeded']));
});
