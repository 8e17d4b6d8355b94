import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { silentLogger } from '../../kube/logger.ts';
import { buildSnapshot } from '../mesh/mesh-builder.ts';
import type { MeshChange, MeshObject } from '../mesh/mesh-object.ts';
import type { MeshSnapshot, PolicyView } from '../mesh/snapshot.ts';
import { meshChanges, namespaces } from '../mesh/testing/mesh-changes.ts';
import { SETTINGS } from '../mesh/testing/objects.ts';
import { maybe } from '../mesh/testing/optional.ts';
import { XdsCache } from '../xds/xds-cache.ts';
import { Pipeline } from './pipeline.ts';
import { newMeshStores, putInto } from './testing/mesh-stores.ts';

const SELECTORS =
  'discoverySelectors: [{matchLabels: {mesh: "on"}}, {matchExpressions: [{key: team, operator: In, values: [a]}]}]';
const DISCOVERED = new Set(['mesh=on', 'team=a']);

/** A namespace comes, gets other labels, or goes. `label` is the one of those of the selectors that it has. */
const namespaceChanges = fc
  .tuple(
    namespaces,
    maybe(fc.record({ label: fc.constantFrom('mesh=on', 'mesh=off', 'team=a', 'team=b'), optedIn: fc.boolean() })),
  )
  .map(([name, made]): MeshChange => {
    if (made === undefined) return { kind: 'Namespace', key: name, object: undefined };
    const [key = '', value = ''] = made.label.split('=');
    const labels = { [key]: value, ...(made.optedIn ? { 'heddle.dev/injection': 'enabled' } : {}) };
    return { kind: 'Namespace', key: name, object: { metadata: { name, labels } } };
  });
const changes = fc.oneof(
  { weight: 1, arbitrary: namespaceChanges },
  { weight: 4, arbitrary: meshChanges.filter(({ kind }) => kind !== 'Namespace') },
);

const MAPS = ['services', 'endpoints', 'workloads', 'routeRules', 'destinationPolicies', 'sidecars'] as const;

/** Plain data in an order of its own: persistent sets remember how they were made. */
const plainView = (view: PolicyView) => ({
  ...view,
  reach: view.reach.kind === 'workloads' ? [...view.reach.workloads].sort() : view.reach,
});
const plain = (snapshot: MeshSnapshot) => [
  ...MAPS.map((name) => snapshot[name].toObject()),
  snapshot.policies
    .filter((view) => !isUndiscovered(view))
    .map(plainView)
    .toObject(),
];
const isUndiscovered = ({ problems }: PolicyView) => problems[0]?.reason === 'NotDiscovered';

/** A cluster that test and pipeline both follow, the test in its own way. */
class World {
  readonly stores = newMeshStores(SELECTORS);
  readonly objects = new Map<string, MeshObject>();
  readonly #labels = new Map<string, Readonly<Record<string, string>>>();

  put(change: MeshChange): void {
    const { kind, key, object } = change;
    putInto(this.stores, change);
    if (kind === 'Namespace') {
      if (object === undefined) this.#labels.delete(key);
      else this.#labels.set(key, object.metadata?.labels ?? {});
    }
    if (object === undefined) this.objects.delete(`${kind}/${key}`);
    else this.objects.set(`${kind}/${key}`, { kind, object } as MeshObject);
  }

  discovered(namespace: string): boolean {
    if (namespace === 'heddle-system' || namespace === '') return true;
    return Object.entries(this.#labels.get(namespace) ?? {}).some(([key, value]) => DISCOVERED.has(`${key}=${value}`));
  }

  optedIn(namespace: string): boolean {
    return this.#labels.get(namespace)?.['heddle.dev/injection'] === 'enabled';
  }

  /** Objects that count. */
  get part(): MeshObject[] {
    return [...this.objects.values()].filter(({ object }) => this.discovered(object.metadata?.namespace ?? ''));
  }

  /** Policies that do not count, where their users are told so. */
  get toldOff(): string[] {
    const told = [...this.objects].filter(([, { kind, object }]) => {
      const namespace = object.metadata?.namespace ?? '';
      const isPolicy = !['Namespace', 'Node', 'Pod', 'Service', 'EndpointSlice', 'Canary'].includes(kind);
      return isPolicy && !this.discovered(namespace) && this.optedIn(namespace);
    });
    return told.map(([key]) => key).sort();
  }
}

describe('discovery under random sequences of events', () => {
  test('the snapshot is that of the objects of discovered namespaces, and all other policies are told off', async () => {
    const batches = fc.array(fc.array(changes, { minLength: 1, maxLength: 8 }), { minLength: 1, maxLength: 20 });
    await fc.assert(
      fc.asyncProperty(fc.array(changes, { maxLength: 20 }), batches, async (first, sequence) => {
        const world = new World();
        for (const change of first) world.put(change);
        let broken: unknown;
        const pipeline = new Pipeline(SETTINGS, new XdsCache(), silentLogger, (error) => {
          broken = error;
        });
        pipeline.start(world.stores);
        for (const batch of [[], ...sequence]) {
          for (const change of batch) world.put(change);
          // Few changes are taken in one turn of the event loop; a switch has those of a namespace come again.
          for (let turn = 0; turn < 5; turn++) await new Promise(setImmediate);
          expect(broken).toBeUndefined();
          const { snapshot } = pipeline;
          expect(plain(snapshot)).toEqual(plain(buildSnapshot(SETTINGS, world.part.reverse())));
          expect([...snapshot.policies.filter(isUndiscovered).keys()].sort()).toEqual(world.toldOff);
        }
      }),
      { numRuns: 60 },
    );
  }, 60_000);
});
