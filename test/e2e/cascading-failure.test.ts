import { describe, expect } from '@jest/globals';
import { waitUntil } from '../../hack/mesh/wait.ts';
import { programmed } from './support/conditions.ts';
import { clusterSetup, clusterTest, useNamespace } from './support/namespace.ts';
import { destinationRule, virtualService } from './support/networking-object.ts';
import { Client, type ManyReport } from './support/testbed-client.ts';
import { client, server } from './support/testbed-objects.ts';
import { testbedPods } from './support/testbed-pods.ts';

const mesh = useNamespace('cascade');
const caller = new Client(mesh, 'deployment/caller');

/** What each of UI and Ordering works on at once, as a pool of threads would. */
const POOL = 4;
const INVENTORY_DELAY_MS = 1000;
/** A user goes away after so long. */
const PATIENCE_MS = 3000;

const through = (service: string, url: string): string => `http://${service}/call?url=${encodeURIComponent(url)}`;
const INVENTORY = 'http://inventory/';
const ORDERS = through('ui', through('ordering', INVENTORY));
/** Pages that need no Inventory: one of Ordering's, and one of UI alone. */
const PRICES = through('ui', 'http://ordering/');
const ABOUT = 'http://ui/';

clusterSetup(
  [mesh],
  async () => {
    const env = { MAX_CONCURRENT: String(POOL) };
    await mesh.apply(
      ...server('ui', { env }),
      ...server('ordering', { env }),
      ...server('inventory', { env: { MAX_CONCURRENT: '1' } }),
      ...client('caller'),
    );
    await Promise.all(['ui', 'ordering', 'inventory', 'caller'].map((name) => mesh.rolledOut(name)));
    await waitUntil('the whole chain', async () => {
      const { status, error } = await caller.http(ORDERS);
      return status === 200 ? undefined : `${status ?? error}`;
    });
  },
  240_000,
);

/** Some users look at their orders, again and again, while others look at the other pages. */
async function visit(): Promise<{ orders: ManyReport; prices: ManyReport; about: ManyReport }> {
  const timeoutMs = PATIENCE_MS;
  const page = { count: 6, concurrency: 2, gapMs: 100, timeoutMs };
  const [orders, prices, about] = await caller.plan(
    [
      { url: ORDERS, count: 36, concurrency: 12, gapMs: 250, timeoutMs },
      { url: PRICES, ...page },
      { url: ABOUT, ...page },
    ],
    { concurrent: true },
  );
  return { orders, prices, about };
}

/** Waits until what users who went away have left behind is worked off. */
async function calm(): Promise<void> {
  await waitUntil('an idle chain', async () => {
    const { ok, latencyMs } = await caller.many(ORDERS, { count: 3, timeoutMs: 1000 });
    return ok === 3 && latencyMs.max < 300 ? undefined : JSON.stringify(latencyMs);
  });
}

describe('one slow Inventory', () => {
  clusterTest('takes UI down with it, unless a rule breaks the circuit', [mesh], async () => {
    const inventory = await testbedPods(mesh, 'app=inventory');
    const well = await visit();
    expect([well.orders.ok, well.prices.ok, well.about.ok]).toEqual([36, 6, 6]);

    await caller.behave(inventory, { delay: INVENTORY_DELAY_MS });
    const without = await visit();
    // A page that needs nothing but UI waits for those that wait for Inventory.
    expect(without.about.latencyMs.p50).toBeGreaterThan(1000);
    expect(without.prices.latencyMs.p50).toBeGreaterThan(1000);
    expect(without.orders.ok).toBeLessThan(without.orders.sent / 2);

    await caller.behave(inventory, { delay: 0 });
    await calm();
    await mesh.apply(
      destinationRule('inventory', {
        host: 'inventory',
        trafficPolicy: {
          connectionPool: { tcp: { maxConnections: 2 }, http: { http1MaxPendingRequests: 1, http2MaxRequests: 2 } },
          outlierDetection: {
            consecutive5xxErrors: 3,
            interval: '500ms',
            baseEjectionTime: '20s',
            maxEjectionPercent: 100,
          },
        },
      }),
      virtualService('inventory', {
        hosts: ['inventory'],
        http: [{ timeout: '300ms', retries: { attempts: 0 }, route: [{ destination: { host: 'inventory' } }] }],
      }),
    );
    await programmed(mesh, 'destinationrule', 'inventory');
    await programmed(mesh, 'virtualservice', 'inventory');

    await caller.behave(inventory, { delay: INVENTORY_DELAY_MS });
    const withRule = await visit();
    expect([withRule.prices.ok, withRule.about.ok]).toEqual([6, 6]);
    expect(withRule.about.latencyMs.p99).toBeLessThan(800);
    expect(withRule.prices.latencyMs.p99).toBeLessThan(800);
    expect(without.about.latencyMs.p50 / withRule.about.latencyMs.p50).toBeGreaterThan(4);
    expect(without.prices.latencyMs.p50 / withRule.prices.latencyMs.p50).toBeGreaterThan(4);
    // Nobody waits for orders either: they fail at once, and none of them by the user's patience.
    expect(withRule.orders.errors).toEqual({});
    expect(withRule.orders.latencyMs.p50).toBeLessThan(400);
    const refused = await caller.many(ORDERS, { count: 5, answers: 5 });
    expect(refused.statuses).toEqual({ '503': 5 });
    expect(refused.latencyMs.p50).toBeLessThan(300);

    // Well again, it is found out when the ejection ends.
    await caller.behave(inventory, { delay: 0 });
    await calm();
  });
});
