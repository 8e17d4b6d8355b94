import { afterAll, beforeAll, expect, it } from '@jest/globals';
import type { Page } from 'playwright-core';
import { FIRST_START_MS, sees, textOf } from './look.ts';
import { PageTest } from './open-page.ts';

let test: PageTest;
beforeAll(async () => {
  test = await PageTest.start();
}, FIRST_START_MS);
afterAll(() => test.stop());

/** What has the focus, in a word or two. */
async function focused(page: Page): Promise<string> {
  const script =
    "(document.activeElement.dataset.id ?? document.activeElement.getAttribute('aria-label') ?? document.activeElement.innerText).trim()";
  return (await page.evaluate(script)) as string;
}

async function press(page: Page, ...keys: string[]): Promise<void> {
  for (const key of keys) await page.keyboard.press(key);
}

it('goes through the page by the tab key in the order in which one reads', async () => {
  const page = await test.open('/graph');
  await sees(page, 'inventory');
  const order: string[] = [];
  for (let step = 0; step < 14; step++) {
    await press(page, 'Tab');
    order.push(await focused(page));
  }
  expect(order.slice(0, 9)).toEqual([
    'To the content',
    'Heddle',
    'Graph',
    'Services',
    'Canaries',
    'Policies',
    'Refused',
    'Proxies',
    'Mesh',
  ]);
  expect(order[9]).toMatch(/^Search/);
  expect(order[10]).toMatch(/^State/);
  // The graph is one stop, however many services there are.
  const cards = await page.evaluate('document.querySelectorAll(\'.card[tabindex="0"]\').length');
  expect(cards).toBe(1);
  await page.context().close();
});

it('walks the graph by arrows, chooses by Enter and lets go by Escape', async () => {
  const page = await test.open('/graph');
  await page.locator('.card[data-id="shop/load"]').focus();
  await press(page, 'ArrowRight');
  expect(await focused(page)).toBe('shop/ui');
  await press(page, 'ArrowRight', 'ArrowRight');
  expect(await focused(page)).toBe('shop/inventory');
  await press(page, 'ArrowLeft');
  expect(await focused(page)).toBe('shop/ordering');
  await press(page, 'Enter');
  await page.locator('aside[aria-label="Chosen service"] h2').waitFor();
  expect(await textOf(page, 'aside h2')).toBe('ordering');
  expect(page.url()).toContain('sel=shop%2Fordering');
  expect(await focused(page)).toBe('shop/ordering');
  await press(page, 'Escape');
  await sees(page, '1 call fails');
  expect(page.url()).not.toContain('sel=');
  await page.context().close();
});

it('calls the ends of a call what their cards are called, also of those that are folded', async () => {
  const page = await test.open('/graph?ns=shop');
  await page.locator('.wire-label').first().waitFor();
  const cards = (await page.locator('.card b').allInnerTexts()).map((text) => text.trim());
  expect(cards).toEqual(expect.arrayContaining(['payments', 'Without a sidecar']));
  const labels = (await page.locator('.wire-label').allInnerTexts()).map((text) => text.replaceAll(/\s+/g, ' '));
  const ends = labels.flatMap((label) => /^(.+?) calls (.+?): /.exec(label)?.slice(1) ?? [label]);
  expect(ends.filter((end) => !cards.includes(end))).toEqual([]);
  expect(ends).toEqual(expect.arrayContaining(['payments', 'Without a sidecar']));
  await page.context().close();
});

it('zooms by keys', async () => {
  const page = await test.open('/graph');
  await page.locator('.card').first().focus();
  const scale = async () =>
    Number(
      ((await page.evaluate("document.querySelector('.world').style.transform")) as string).match(
        /scale\(([\d.]+)\)/,
      )?.[1],
    );
  const before = await scale();
  await press(page, '+');
  const larger = await scale();
  expect(larger).toBeCloseTo(before * 1.25, 3);
  await press(page, '0');
  expect(await scale()).toBeCloseTo(before, 3);
  await page.context().close();
});

it('finds by name: / leads to the search, arrows choose, Enter goes there', async () => {
  const page = await test.open('/mesh');
  await sees(page, 'The mesh');
  await press(page, '/');
  await page.keyboard.type('no-ad');
  await sees(page, 'AuthorizationPolicy in shop');
  expect(await page.locator('[role=combobox]').getAttribute('aria-activedescendant')).toMatch(/-0$/);
  await press(page, 'Enter');
  await sees(page, 'not everywhere yet');
  expect(page.url()).toContain('name=no-admin');
  await press(page, '/');
  await page.keyboard.type('orderi');
  await sees(page, 'service in shop');
  await press(page, 'ArrowDown', 'ArrowUp', 'Escape');
  expect(await page.locator('[role=listbox]').isVisible()).toBe(false);
  await page.context().close();
});

it('tells what it finds apart, also what has no name', async () => {
  const page = await test.open('/mesh');
  await press(page, '/');
  await page.keyboard.type('pod in shop');
  await page.locator('[role=option]').nth(3).waitFor();
  expect(await page.locator('[role=option]').count()).toBe(4);
  await page.keyboard.press('Control+A');
  await page.keyboard.type('unknown');
  await sees(page, 'outside the mesh');
  expect(await page.locator('[role=option]').allInnerTexts()).toEqual([expect.stringMatching(/^unknown caller\s/)]);
  await page.context().close();
});

it('puts who changes the view into the new one', async () => {
  const page = await test.open('/services');
  await page
    .getByRole('link', { name: /inventory/ })
    .first()
    .focus();
  await press(page, 'Enter');
  await sees(page, 'inventory.shop.svc.cluster.local');
  expect(await page.evaluate('document.activeElement.id')).toBe('main');
  expect(await page.title()).toBe('shop/inventory · Heddle');
  await page.context().close();
});

it('orders a table by its columns', async () => {
  const page = await test.open('/services');
  const names = () => page.locator('tbody tr .row-name b').allInnerTexts();
  await page.getByRole('button', { name: 'Latency p99' }).focus();
  await press(page, 'Enter');
  expect((await names()).map((name) => name.trim())).toEqual(['inventory', 'ui', 'ordering', 'ledger', 'load']);
  expect(await textOf(page, 'th[aria-sort=descending]')).toContain('Latency');
  await page.context().close();
});
