import { afterAll, afterEach, beforeAll, expect, it } from '@jest/globals';
import type { Page } from 'playwright-core';
import { canary, round } from './canary-answers.ts';
import { FIRST_START_MS, picture, sees, textOf } from './look.ts';
import { PageTest } from './open-page.ts';
import { refusal } from './page-server.ts';
import { call, golden, refusals, shopGraph, workload } from './shop-answers.ts';

let test: PageTest;
beforeAll(async () => {
  test = await PageTest.start();
}, FIRST_START_MS);
afterEach(() => {
  test.server.graph = shopGraph();
  test.server.canaries = [canary()];
  test.server.answers.clear();
  test.complaints.length = 0;
});
afterAll(() => test.stop());

/** Waits until the page listens, so that what is sent next reaches it. */
async function listening(page: Page): Promise<void> {
  await page.locator('.pulse:not(.pulse-plain)').waitFor();
  while (test.server.streams === 0) await page.waitForTimeout(20);
}

it('shows a call that begins to fail, without a word of the reader', async () => {
  const healthy = {
    nodes: [workload('shop/ui'), workload('shop/ordering', { served: golden(5, 0, 20) })],
    edges: [call('shop/ui', 'shop/ordering', golden(5, 0, 20))],
  };
  test.server.graph = shopGraph(healthy);
  const page = await test.open('/graph');
  await sees(page, 'No call fails');
  await listening(page);
  await page.locator('.card[data-id="shop/ui"]').focus();
  test.server.graph = shopGraph({ ...healthy, edges: [call('shop/ui', 'shop/ordering', golden(5, 0.5, 20))] });
  await sees(page, '1 call fails');
  await page.locator('.wire.sev-bad').waitFor({ state: 'attached' });
  expect(await textOf(page, '.wire-label.sev-bad')).toMatch(/ui calls ordering: .*5\/s 50% 20 ms$/);
  expect(await textOf(page, '.pulse')).toBe('1 failing');
  // Nothing was made anew under the reader.
  expect(await page.evaluate('document.activeElement.dataset.id')).toBe('shop/ui');
  await picture(page, 'graph-failing');
  await page.context().close();
});

it('shows what is not known as unknown, and never as zero', async () => {
  const nodes = [workload('shop/ui'), workload('shop/ordering', { served: golden(5, 0, undefined) })];
  test.server.graph = shopGraph({
    nodes,
    edges: [call('shop/ui', 'shop/ordering', golden(5, 0, undefined), { mtls: 'unknown' })],
    complete: false,
    missing: ['no report of shop/ui-1 since 40 s'],
  });
  const page = await test.open('/graph?sel=shop%2Fui');
  await sees(page, 'Figures are missing: 1 reason');
  expect(await textOf(page, '.card[data-id="shop/ui"]')).toBe('ui in shop: unknown');
  expect(await textOf(page, 'aside .figures')).toBe(
    'Traffic unknown Errors unknown p50 unknown p99 unknown By itself unknown mean, without its calls Fullest unknown Sidecars 2 of 2 connected',
  );
  await page.getByText('Figures are missing').click();
  await sees(page, 'no report of shop/ui-1 since 40 s');
  await page.goto(`${test.origin}#/graph`);
  await sees(page, 'No failing call is known');
  await sees(page, 'Fewer than 1% of the requests of any call that is known failed in the last 60 s.');
  await page.goto(`${test.origin}#/services`);
  await page.locator('tbody').waitFor();
  expect(await textOf(page, 'tbody tr:last-child')).toBe('ui shop unknown unknown unknown unknown 2 of 2');
  const missing = ['replica operator-2 of the operator does not report'];
  test.server.answers.set('refusals', { ...refusals(), complete: false, missing, refusals: [] });
  await page.goto(`${test.origin}#/refused`);
  await sees(page, 'Of no policy it is known that it refused a request.');
  await page.getByText('Figures are missing').click();
  await sees(page, 'replica operator-2 of the operator does not report');
  await page.context().close();
});

it('follows a release from its start to the verdict', async () => {
  test.server.canaries = [
    canary({
      phase: 'Progressing',
      weight: 0,
      step: 0,
      rounds: [],
      conditions: [
        {
          type: 'Progressing',
          status: 'True',
          reason: 'Copies',
          message: 'copies of 20% go to 5d4b6f7c99',
          lastTransitionTime: '2026-01-01T00:00:00Z',
        },
      ],
    }),
  ];
  const page = await test.open('/canary/shop/ordering');
  await sees(page, 'copies of 20% go to 5d4b6f7c99');
  expect(await textOf(page, '.track [aria-current=step]')).toMatch(/^copies of 20%/);
  await picture(page, 'canary-1-start');
  await listening(page);

  test.server.canaries = [canary()];
  test.server.tell('canaries');
  await sees(page, 'waits for more requests');
  expect(await textOf(page, '.track [aria-current=step]')).toMatch(/^10%/);
  expect(await textOf(page, '.side-card.stable .share')).toBe('90% of the requests');
  expect(await textOf(page, '.side-card.canary .share')).toBe('10% of the requests');
  // What callers see of it just now, from the graph.
  expect(await textOf(page, '.side-card.canary')).toContain('2.8%');
  await picture(page, 'canary-2-waits');

  const failed = round({ verdict: 'Failed', message: 'request-duration: 310 ms is above 250 ms' });
  test.server.canaries = [
    canary({
      phase: 'Failed',
      weight: 0,
      rounds: [failed],
      conditions: [
        {
          type: 'Progressing',
          status: 'False',
          reason: 'GivenUp',
          message: 'revision 5d4b6f7c99 was given up: 310 ms is above 250 ms',
          lastTransitionTime: '2026-01-01T00:00:00Z',
        },
      ],
    }),
  ];
  test.server.tell('canaries');
  await sees(page, 'It was given up');
  expect(await textOf(page, '.track .failed')).toContain('10%');
  await picture(page, 'canary-3-verdict');
  await page.context().close();
});

it('says that the operator is gone, keeps what it said, and goes on when it is back', async () => {
  const page = await test.open('/graph');
  await sees(page, '1 call fails');
  await listening(page);
  await test.server.stop();
  await sees(page, /^No word from the operator since/);
  expect(await textOf(page, '.pulse')).toBe('not live');
  await sees(page, '18.2/s');
  await picture(page, 'graph-gone');
  await test.server.start();
  // The browser tries again by itself, every few seconds.
  await page.locator('.stale-banner').waitFor({ state: 'detached' });
  await page.context().close();
});

it('says what the operator says when it can not answer', async () => {
  test.server.answers.set('policies', refusal('The policies are not read yet; ask again in a moment.'));
  const page = await test.open('/policies');
  await sees(page, 'The policies are not read yet; ask again in a moment.');
  test.server.answers.clear();
  await listening(page);
  test.server.tell('policies');
  await sees(page, 'not everywhere yet');
  test.server.answers.set('policies', new Error('secret inside'));
  test.server.tell('policies');
  await sees(page, /^the operator could not answer; its log has more/);
  await sees(page, 'not everywhere yet');
  await page.context().close();
});

it('says what the operator says when it has no graph, for as long as it has none', async () => {
  test.server.answers.set('graph', refusal('The graph is not there yet; ask again in a moment.'));
  const page = await test.open('/graph');
  await listening(page);
  // Other news are none of the graph.
  const asked = page.waitForRequest(/api\/policies$/);
  await page.goto(`${test.origin}#/policies`);
  await asked;
  test.server.tell('policies');
  await page.waitForRequest(/api\/policies$/);
  await page.goto(`${test.origin}#/graph`);
  await sees(page, 'The graph is not there yet; ask again in a moment.');
  test.server.answers.clear();
  await sees(page, '1 call fails');
  await page.context().close();
});

it('takes names for what they are, whatever is in them', async () => {
  const evil = '<img src=x onerror=alert(1)><script>alert(2)</script>';
  const id = `shop/${evil}`;
  test.server.graph = shopGraph({
    nodes: [
      workload('shop/ui'),
      { ...workload(id), name: evil, services: [evil], served: golden(1, 0.5, 3), canary: `shop/${evil}` },
    ],
    edges: [{ ...call('shop/ui', id, golden(1, 0.5, 3)), service: evil }],
    complete: false,
    missing: [evil],
  });
  test.server.canaries = [
    canary(
      {
        conditions: [
          {
            type: 'Progressing',
            status: 'True',
            reason: evil,
            message: evil,
            lastTransitionTime: '2026-01-01T00:00:00Z',
          },
        ],
      },
      evil,
    ),
  ];
  test.server.answers.set('policies', {
    policies: [
      {
        kind: evil,
        namespace: evil,
        name: evil,
        conditions: [{ type: evil, status: 'False', reason: evil, message: evil }],
      },
    ],
  });
  let dialogs = 0;
  const page = await test.open('/graph');
  page.on('dialog', (dialog) => {
    dialogs++;
    void dialog.dismiss();
  });
  for (const hash of [
    '/graph',
    `/graph?sel=${encodeURIComponent(id)}`,
    '/services',
    `/service/${encodeURIComponent(id)}`,
    `/call/shop%2Fui/${encodeURIComponent(id)}`,
    '/canaries',
    `/canary/shop/${encodeURIComponent(evil)}`,
    '/policies',
    `/${encodeURIComponent(evil)}`,
  ]) {
    await page.goto(`${test.origin}#${hash}`);
    await sees(page, hash.startsWith('/%3C') ? '1 call fails' : 'onerror=alert(1)');
    expect(await page.locator('main img, main script').count()).toBe(0);
  }
  expect(dialogs).toBe(0);
  expect(test.complaints).toEqual([]);
  await page.context().close();
});
