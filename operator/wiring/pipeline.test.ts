import { beforeEach, describe, expect, test } from '@jest/globals';
import { silentLogger } from '../../kube/logger.ts';
import { sameValue } from '../mesh/equality.ts';
import { buildSnapshot } from '../mesh/mesh-builder.ts';
import type { MeshDelta, MeshSnapshot } from '../mesh/snapshot.ts';
import { SETTINGS, service, virtualService } from '../mesh/testing/objects.ts';
import { XdsCache } from '../xds/xds-cache.ts';
import { Pipeline } from './pipeline.ts';
import { newMeshStores, type TestStores } from './testing/mesh-stores.ts';

const MANY = 1000;

const route = (index: number, timeout: string) =>
  virtualService(`shop/app-${index}`, {
    hosts: [`app-${index}.example.com`],
    http: [{ timeout, route: [{ destination: { host: 'orders' } }] }],
  });

let stores: TestStores;
let pipeline: Pipeline;
let updates: { readonly snapshot: MeshSnapshot; readonly delta: MeshDelta }[];
let broken: unknown;

beforeEach(() => {
  stores = newMeshStores();
  broken = undefined;
  pipeline = new Pipeline(SETTINGS, new XdsCache(), silentLogger, (error) => {
    broken = error;
  });
  stores.services.set(service('orders', { app: 'orders' }));
  pipeline.start(stores);
  updates = [];
  pipeline.onUpdate((snapshot, delta) => updates.push({ snapshot, delta }));
});

/** @returns how many turns of the event loop it took */
async function turnsUntil(done: () => boolean): Promise<number> {
  let turns = 0;
  while (!done() && broken === undefined && turns < 10_000) {
    await new Promise(setImmediate);
    turns++;
  }
  expect(broken).toBeUndefined();
  return turns;
}

describe('the pipeline from stores to resources', () => {
  test('gives a single change out in the next turn of the event loop', async () => {
    stores.virtualServices.set(route(1, '1s'));
    expect(await turnsUntil(() => updates.length > 0)).toBe(1);
    expect(updates.map(({ delta }) => [...delta.routeRules])).toEqual([['VirtualService/shop/app-1']]);
  });

  test('takes changes that came together together', async () => {
    for (let index = 0; index < 50; index++) stores.virtualServices.set(route(index, '1s'));
    await turnsUntil(() => updates.length > 0);
    expect(updates.map(({ delta }) => delta.routeRules.size)).toEqual([50]);
  });

  test('takes very many changes in more than one turn, and comes to what all objects together come to', async () => {
    stores.virtualServices.replace(Array.from({ length: MANY }, (_, index) => route(index, '1s')));
    const turns = await turnsUntil(() => pipeline.snapshot.routeRules.size === MANY);
    expect(turns).toBeGreaterThan(5);
    const objects = [...stores.virtualServices.list()].map((object) => ({ kind: 'VirtualService', object }) as const);
    const orders = { kind: 'Service', object: service('orders', { app: 'orders' }) } as const;
    const whole = buildSnapshot(SETTINGS, [orders, ...objects]);
    expect(sameValue(Object.fromEntries(pipeline.snapshot.routeRules), Object.fromEntries(whole.routeRules))).toBe(
      true,
    );
    expect(updates.flatMap(({ delta }) => [...delta.routeRules])).toHaveLength(MANY);
  });

  test('tells nothing of what became something else and back again while changes were held', async () => {
    stores.virtualServices.set(route(0, '1s'));
    await turnsUntil(() => updates.length > 0);
    updates = [];
    stores.virtualServices.set(route(0, '2s'));
    for (let index = 1; index < 400; index++) stores.virtualServices.set(route(index, '1s'));
    stores.virtualServices.set(route(0, '1s'));
    await turnsUntil(() => pipeline.snapshot.routeRules.size === 400);
    const told = updates.flatMap(({ delta }) => [...delta.routeRules]);
    // A very slow machine gives them out after a second, between the two changes.
    expect(told.filter((key) => key === 'VirtualService/shop/app-0')).toHaveLength(updates.length === 1 ? 0 : 2);
    expect(new Set(told).size).toBeGreaterThanOrEqual(399);
  });
});
