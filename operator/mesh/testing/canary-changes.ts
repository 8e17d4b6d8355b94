import fc from 'fast-check';
import type { TrafficTerms } from '../../../api/traffic-terms.ts';
import type { MeshChange } from '../mesh-object.ts';
import { canary } from './objects.ts';
import { maybe } from './optional.ts';

const namespaces = fc.constantFrom('shop', 'other', 'heddle-system');

const terms = fc.constantFrom<TrafficTerms[]>(
  {},
  { match: [{ headers: { 'x-user': { exact: 'a' } }, sourceLabels: { app: 'a' } }] },
  { stickiness: { header: 'x-user' } },
  { stickiness: { principal: true } },
);

const options = fc.record({
  deployment: fc.constantFrom('a', 'b'),
  creation: fc.constantFrom('2026-01-01T00:00:00Z', '2026-01-02T00:00:00Z'),
  terms,
  status: fc.record({
    stableRevision: fc.constantFrom('r1', 'r2', ''),
    canaryRevision: fc.constantFrom('r2', 'r3', ''),
    weight: fc.constantFrom(0, 50, 100),
    matched: fc.boolean(),
    mirrorWeight: fc.constantFrom(0, 30),
    failedRevision: fc.constantFrom('r2', ''),
    ungatedRevisions: fc.constantFrom<string[][]>(['r1'], ['r1', 'r2'], []),
  }),
});

/** Canaries that come, change and go. */
export const canaryChanges = fc
  .tuple(namespaces, fc.nat({ max: 1 }), maybe(options))
  .map(([namespace, i, drawn]): MeshChange => {
    const key = `${namespace}/c${i}`;
    if (drawn === undefined) return { kind: 'Canary', key, object: undefined };
    const { metadata, spec, ...made } = canary(`c${i}`, drawn.deployment, drawn.status, drawn.creation);
    const analysis = { ...spec.analysis, ...drawn.terms } as typeof spec.analysis;
    return {
      kind: 'Canary',
      key,
      object: { ...made, metadata: { ...metadata, namespace }, spec: { ...spec, analysis } },
    };
  });
