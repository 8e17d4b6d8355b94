import { readFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { FIRST_START_MS, picture, sees, textOf } from './look.ts';
import { PageTest } from './open-page.ts';

const AXE = createRequire(import.meta.url).resolve('axe-core/axe.min.js');
const PHONE = { viewport: { width: 390, height: 844 }, hasTouch: true, isMobile: true } as const;

/** Each view, and what it must say of the shop. */
const VIEWS: Readonly<Record<string, readonly (string | RegExp)[]>> = {
  '/graph': ['1 call fails', 'inventory', '18.2/s', 'api.bank.example'],
  '/services': ['240 ms', '86% CPU', '100% pool', '2 of 2', 'no calls'],
  '/service/shop%2Finventory': [
    ...['inventory.shop.svc.cluster.local', 'Latency', 'Called by', '95.4 MiB'],
    ...['fullest pool 100%', 'Turned away', '37'],
  ],
  '/call/shop%2Fordering/shop%2Finventory': [
    '503 UF',
    'No connection to the server could be made',
    'Encrypted by the mesh (mTLS)',
    "The caller's fullest pool",
    '2 of 2',
    '1 of 1',
    'no limit',
  ],
  '/canaries': ['waiting', '99.31%', 'waits for more requests'],
  '/canary/shop/ordering': [
    'It waits',
    '7c9f8d5b44',
    '5d4b6f7c99',
    'odds 4.2 of 400 needed',
    'Prometheus did not answer within 10 s',
    'given up',
  ],
  '/policies': ['not everywhere yet', '5 of 6', 'is no duration', 'shop/ui-6f7d-x2k has not acknowledged it yet'],
  '/refused': ['no rule of the ALLOW policies matched', 'or another of 2 policies', '412'],
  '/proxies': ['disconnected', 'filter chain has an empty cluster', 'A replica of the operator is not heard'],
  '/mesh': ['not heard', 'INTERMEDIATE', 'in 3 d', 'trust domain cluster.local'],
};

let test: PageTest;
beforeAll(async () => {
  test = await PageTest.start();
}, FIRST_START_MS);
afterAll(() => test.stop());

describe.each(Object.entries(VIEWS))('the view %s', (hash, texts) => {
  const name = hash.slice(1).split('/')[0] ?? '';

  it('says what it is there for, and breaks no rule for those who do not see or use a mouse', async () => {
    for (const colorScheme of ['light', 'dark'] as const) {
      const page = await test.open(hash, { colorScheme });
      for (const text of texts) await sees(page, text);
      expect(await page.locator('h1').count()).toBe(1);
      await picture(page, `${name}-${colorScheme}`);
      // The policy keeps scripts of others out of pages; a test may put one in all the same.
      await page.evaluate(await axeSource());
      // In the dark only the colours are others.
      const rules = colorScheme === 'light' ? '' : "{ runOnly: ['color-contrast'] }";
      const found = (await page.evaluate(`axe.run(${rules})`)) as {
        violations: { id: string; nodes: { html: string }[] }[];
      };
      expect(found.violations.map(({ id, nodes }) => `${id}: ${nodes[0]?.html}`)).toEqual([]);
      await page.context().close();
    }
  });

  it('fits a phone', async () => {
    const page = await test.open(hash, PHONE);
    for (const text of texts.slice(0, 1)) await sees(page, text);
    expect(await page.evaluate('document.documentElement.scrollWidth')).toBe(390);
    await picture(page, `${name}-phone`);
    await page.context().close();
  });
});

it('fetches nothing from elsewhere, and nothing is stopped by the policy', async () => {
  const page = await test.open('/graph');
  const elsewhere: string[] = [];
  page.on('request', (request) => {
    if (!request.url().startsWith(test.origin)) elsewhere.push(request.url());
  });
  for (const hash of Object.keys(VIEWS)) await page.evaluate(`location.hash = ${JSON.stringify(hash)}`);
  await sees(page, 'trust domain');
  expect(elsewhere).toEqual([]);
  expect(test.complaints).toEqual([]);
  // What the policy stops is heard of here.
  await page.evaluate("document.body.setAttribute('style', 'color: red')");
  expect(test.complaints).toHaveLength(1);
  test.complaints.length = 0;
  await page.context().close();
});

it('is light or dark as the reader has it', async () => {
  const ground = async (colorScheme: 'light' | 'dark') => {
    const page = await test.open('/mesh', { colorScheme });
    const colour = (await page.evaluate('getComputedStyle(document.documentElement).backgroundColor')) as string;
    await page.context().close();
    return (colour.match(/\d+/g) ?? []).slice(0, 3).reduce((sum, part) => sum + Number(part), 0);
  };
  expect(await ground('light')).toBeGreaterThan(600);
  expect(await ground('dark')).toBeLessThan(120);
});

it('leads to what a link names, with what was chosen', async () => {
  const page = await test.open('/policies?kind=VirtualService');
  await sees(page, 'ordering-retries');
  expect(await page.locator('tbody tr:not(.more)').count()).toBe(1);
  await page.goto(`${test.origin}#/proxies?state=rejected`);
  await sees(page, 'inventory-5b6c7d8e9f-q9w8e');
  expect(await page.locator('tbody tr:not(.more)').count()).toBe(1);
  for (const [view, said] of [
    ['services', 'No service in elsewhere has a sidecar.'],
    ['canaries', 'There is no Canary in elsewhere.'],
    ['refused', 'No policy has refused a request in elsewhere.'],
  ]) {
    await page.goto(`${test.origin}#/${view}?ns=elsewhere`);
    await sees(page, said ?? '');
  }
  await page.goto(`${test.origin}#/no-such-view`);
  await sees(page, '1 call fails');
  expect(await textOf(page, 'nav [aria-current]')).toBe('Graph');
  await page.context().close();
});

let axe: string | undefined;
async function axeSource(): Promise<string> {
  axe ??= await readFile(AXE, 'utf8');
  return axe;
}
