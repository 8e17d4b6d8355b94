import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import type { Page } from 'playwright-core';
import { largeGraph } from './large-graph.ts';
import { FIRST_START_MS, sees, textOf } from './look.ts';
import { PageTest } from './open-page.ts';
import { shopGraph } from './shop-answers.ts';

/** A namespace that is chosen: what each view then tells of, and that it stays chosen. */

let test: PageTest;
beforeAll(async () => {
  test = await PageTest.start();
}, FIRST_START_MS);
afterAll(() => test.stop());

/** Namespace in the address. */
const chosen = (page: Page) => new URLSearchParams(page.url().split('?')[1]).get('ns');

describe('policies', () => {
  it('are counted, and their kinds offered, of the namespace alone', async () => {
    const page = await test.open('/policies?ns=payments');
    await sees(page, 'ledger');
    expect(await page.locator('tbody tr:not(.more)').count()).toBe(1);
    await sees(page, 'Not wholly in force: 1');
    expect(await page.locator('label', { hasText: 'Kind' }).locator('option').allInnerTexts()).toEqual([
      'all',
      'RateLimitPolicy',
    ]);
    await page.goto(`${test.origin}#/policies?ns=shop&kind=AuthorizationPolicy`);
    await sees(page, 'Not wholly in force: 1');
    await page.getByText('Not wholly in force: 1').click();
    await page.getByText('inventory-callers').waitFor({ state: 'detached' });
    expect(await page.locator('tbody tr:not(.more)').count()).toBe(1);
    await page.context().close();
  });

  it('of another namespace are shown whole, also to who looked at one alone', async () => {
    const page = await test.open('/policies?kind=AuthorizationPolicy&name=no-admin&ns=shop');
    await sees(page, 'no-admin');
    await page.locator('label', { hasText: 'Namespace' }).locator('select').selectOption('payments');
    await sees(page, 'ledger');
    expect(page.url()).toMatch(/#\/policies\?ns=payments$/);
    await page.context().close();
  });
});

describe('a namespace stays chosen', () => {
  it.each([
    ['/services?ns=shop', /^inventory/, 'Services'],
    ['/canaries?ns=shop', /^ordering/, 'Canaries'],
    ['/proxies?ns=shop', /^inventory$/, 'Services'],
    ['/refused?ns=shop', /^inventory shop/, 'Services'],
    ['/service/shop%2Finventory?ns=shop', /ordering/, 'Services'],
    ['/call/shop%2Fordering/shop%2Finventory?ns=shop', /^inventory$/, 'Services'],
    ['/graph?ns=shop&sel=shop%2Fordering', /^Over time/, 'Services'],
  ])('from %s on to a link, and back to the list', async (from, link, list) => {
    const page = await test.open(from);
    await page.locator('main').getByRole('link', { name: link }).first().click();
    await page.waitForURL((url) => !url.hash.startsWith(`#${from.split('?')[0]}?`));
    expect(chosen(page)).toBe('shop');
    await page.getByRole('navigation').getByRole('link', { name: list }).click();
    await page.locator('.toolbar select').first().waitFor();
    expect(chosen(page)).toBe('shop');
    await page.context().close();
  });

  it('while one looks further back, and by the way back that stands above', async () => {
    const page = await test.open('/service/shop%2Finventory?ns=shop');
    await page.getByRole('link', { name: '15 min' }).click();
    await page.waitForURL(/seconds=900/);
    expect(chosen(page)).toBe('shop');
    await page.locator('.over a').click();
    await page.locator('.toolbar select').first().waitFor();
    expect(chosen(page)).toBe('shop');
    await page.context().close();
  });

  it('but what tells of the whole mesh leads to the whole mesh', async () => {
    const page = await test.open('/mesh?ns=payments');
    await page.locator('.states a').first().click();
    await page.locator('tbody tr').first().waitFor();
    expect(chosen(page)).toBeNull();
    await page.context().close();
  });
});

describe('the graph', () => {
  it('says of whom it speaks where nothing fails, and where nothing is', async () => {
    const page = await test.open('/graph?ns=payments');
    await page.locator('.card').first().waitFor();
    expect(await textOf(page, 'aside h2')).toBe('No call of payments fails');
    await page.goto(`${test.origin}#/graph?ns=elsewhere`);
    await sees(page, 'No service of elsewhere has a sidecar, or has made a call, yet.');
    await page.context().close();
  });

  it('shows a call that a link leads to, in a mesh too large to be shown one by one', async () => {
    test.server.graph = largeGraph(500);
    const [edge] = test.server.graph.edges;
    const page = await test.open(
      `/call/${encodeURIComponent(edge?.source ?? '')}/${encodeURIComponent(edge?.destination ?? '')}`,
    );
    await page.getByRole('link', { name: 'In the graph' }).click();
    await page.locator('aside[aria-label="Chosen call"]').waitFor();
    await page.context().close();
    test.server.graph = shopGraph();
  });
});
