import { afterAll, describe, expect } from '@jest/globals';
import type { Browser, Page } from 'playwright-core';
import type { CanaryStatus } from '../../../api/canary-status.ts';
import { keptPicture, launchChromium, newPage, picture, sees, textOf, visit } from '../../feature/page/look.ts';
import { canaryOf } from '../support/canary-fixture.ts';
import { Dashboard } from '../support/dashboard.ts';
import { clusterSetup, clusterTest, useNamespace } from '../support/namespace.ts';
import { SHOP_DEPLOYMENTS, sampleShop } from '../support/sample-shop.ts';

const shop = useNamespace('page');
/** A step of 5 s; on a slow machine the pods alone may take a minute. */
const RELEASE_MS = 150_000;

let dashboard: Dashboard | undefined;
let browser: Browser | undefined;
const complaints: string[] = [];

clusterSetup(
  [shop],
  async () => {
    await shop.apply(sampleShop(), canaryOf('ordering', { threshold: 1, stepWeights: [50, 100] }));
    await Promise.all(SHOP_DEPLOYMENTS.map((name) => shop.rolledOut(name)));
    browser = await launchChromium();
    dashboard = await Dashboard.open(shop.kubectl);
  },
  240_000,
);
afterAll(async () => {
  await browser?.close();
  await dashboard?.close();
});

async function open(hash: string): Promise<Page> {
  if (browser === undefined) throw new Error('there is no browser');
  const page = await newPage(browser, complaints);
  page.context().setDefaultTimeout(60_000);
  await visit(page, `${dashboard?.url}/#${hash}`);
  return page;
}

async function status(): Promise<CanaryStatus> {
  return (await shop.get<{ status?: CanaryStatus }>('canary', 'ordering'))?.status ?? {};
}

describe('the page', () => {
  clusterTest('shows who calls whom in the shop, each call with its lock', [shop], async () => {
    const page = await open(`/graph?ns=${shop.name}`);
    for (const name of SHOP_DEPLOYMENTS) await page.locator(`.card[data-id="${shop.name}/${name}"]`).waitFor();
    // Once each has reported, there are three calls, and all are encrypted.
    await page.locator('.wire-label .lock-all').nth(2).waitFor();
    expect(await page.locator('.wire-label').count()).toBe(3);
    await picture(page, 'real-graph');
    for (const view of ['services', 'policies', 'proxies', 'mesh']) {
      await page.goto(`${dashboard?.url}/#/${view}?ns=${shop.name}`);
      await page.locator('.view tbody, .view .empty').first().waitFor();
      await picture(page, `real-${view}`);
    }
    expect(complaints).toEqual([]);
    await page.context().close();
  });

  clusterTest(
    'follows a release that fails from its start to the verdict, and is never loaded anew',
    [shop],
    async () => {
      await shop.waitFor<{ status?: CanaryStatus }>('canary', 'ordering', ({ status = {} }) =>
        status.phase === 'Initialized' ? undefined : JSON.stringify(status),
      );
      const page = await open(`/canary/${shop.name}/ordering`);
      await sees(page, 'No revision is under analysis.');
      const pictures = [await keptPicture(page, 'real-canary-1-before')];
      await page.evaluate('globalThis.sinceTheStart = true');
      await shop.run('set', 'env', 'deployment/ordering', 'VERSION=v2', 'ERROR_RATE=0.5');
      await page.locator('.side-card.canary .share').filter({ hasText: '50%' }).waitFor({ timeout: RELEASE_MS });
      const { canaryRevision, stableRevision } = await status();
      expect(await textOf(page, '.side-card.canary code')).toBe(canaryRevision);
      expect(await textOf(page, '.side-card.stable code')).toBe(stableRevision);
      pictures.push(await keptPicture(page, 'real-canary-2-tried'));
      await page.locator('h1 .badge-bad').waitFor({ timeout: RELEASE_MS });
      await sees(page, 'It was given up');
      await page.locator('.track .failed').waitFor();
      expect(await textOf(page, '.side-card.stable .share')).toBe('100% of the requests');
      const row = page.locator('tr').filter({ hasText: 'request-success-rate' }).first();
      expect(await row.textContent()).toMatch(/at least 99%.*failed/);
      expect(await page.evaluate('globalThis.sinceTheStart')).toBe(true);
      pictures.push(await keptPicture(page, 'real-canary-3-verdict'));
      process.stderr.write(`pictures of a canary, from its start to the verdict:\n  ${pictures.join('\n  ')}\n`);
      expect(complaints).toEqual([]);
      await page.context().close();
    },
  );
});
