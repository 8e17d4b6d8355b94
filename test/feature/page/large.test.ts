import { afterAll, beforeAll, expect, it } from '@jest/globals';
import { largeGraph } from './large-graph.ts';
import { FIRST_START_MS, picture, sees, textOf } from './look.ts';
import { PageTest } from './open-page.ts';

/** A mesh of 500 services. What they cost is a bench (`npm run bench -- --only page`). */

let test: PageTest;
beforeAll(async () => {
  test = await PageTest.start(5000);
  test.server.graph = largeGraph(500);
}, FIRST_START_MS);
afterAll(() => test.stop());

it('shows 500 services as their namespaces, with what fails between and within them', async () => {
  const page = await test.open('/graph');
  await page.locator('.card').first().waitFor();
  expect(await page.locator('.card').count()).toBe(20);
  const failing = test.server.graph.edges.filter(({ golden }) => golden.failures / golden.requests >= 0.01);
  expect(await textOf(page, 'aside h2')).toBe(`${failing.length} calls fail`);
  // Each call that fails is told of by a line, or by the card of the namespace that it stays in.
  const outside = new Set(
    failing
      .filter(({ source, destination }) => source.split('/')[0] !== destination.split('/')[0])
      .map(({ source, destination }) => `${source.split('/')[0]}>${destination.split('/')[0]}`),
  );
  const lines = await page.evaluate(
    "[...document.querySelectorAll('.wire.sev-bad')].map((line) => line.dataset.id.replaceAll('namespace:', ''))",
  );
  expect(new Set(lines as string[])).toEqual(outside);
  await picture(page, 'large');
  await page.context().close();
});

it('shows the services of a namespace that is opened, and those beside one that is looked at', async () => {
  const page = await test.open('/graph');
  await page.locator('.card[data-id="namespace:team-03"]').click();
  await page.locator('.card[data-id="team-03/service-060"]').waitFor();
  expect(await page.locator('.card').count()).toBe(19 + 25);
  await picture(page, 'large-opened');
  await page.keyboard.press('/');
  await page.keyboard.type('service-060');
  await sees(page, 'service in team-03');
  await page.keyboard.press('Enter');
  await page.locator('.card[data-id="team-03/service-060"].selected').waitFor();
  const beside = new Set(
    test.server.graph.edges
      .filter(({ source, destination }) => [source, destination].includes('team-03/service-060'))
      .flatMap(({ source, destination }) => [source, destination]),
  );
  expect(
    new Set(
      (await page.evaluate("[...document.querySelectorAll('.card')].map((card) => card.dataset.id)")) as string[],
    ),
  ).toEqual(beside);
  await picture(page, 'large-focus');
  await page.context().close();
});

it('tells of the namespace that is looked at alone what deserves a look', async () => {
  const { nodes, edges } = test.server.graph;
  const own = new Set(nodes.filter(({ namespace }) => namespace === 'team-03').map(({ id }) => id));
  const failing = edges.filter(
    ({ source, destination, golden }) =>
      (own.has(source) || own.has(destination)) && golden.failures / golden.requests >= 0.01,
  );
  const slowest = nodes
    .filter(({ id }) => own.has(id))
    .sort((a, b) => (b.served?.p99Ms ?? 0) - (a.served?.p99Ms ?? 0))
    .slice(0, 3)
    .map(({ name }) => name);
  const page = await test.open('/graph?ns=team-03');
  await page.locator('.card[data-id="team-03/service-060"]').waitFor();
  expect(failing.length).toBeGreaterThan(1);
  expect(await textOf(page, 'aside h2')).toBe(`${failing.length} calls fail`);
  const list = page.locator('aside h3', { hasText: 'Slowest (p99)' }).locator('+ ul .calls-name');
  expect(await list.allTextContents()).toEqual(slowest);
  await page.context().close();
});

it('shows all 500 one by one where that is asked for, none upon another', async () => {
  const page = await test.open('/graph?open=*');
  await page.locator('.card').nth(499).waitFor();
  expect(await page.locator('.card').count()).toBe(500);
  const overlapping = await page.evaluate(`(() => {
    const boxes = [...document.querySelectorAll('.card')].map((card) => card.getBoundingClientRect());
    return boxes.filter((a, i) => boxes.some((b, j) => j > i && a.left < b.right - 1 && b.left < a.right - 1 && a.top < b.bottom - 1 && b.top < a.bottom - 1)).length;
  })()`);
  expect(overlapping).toBe(0);
  await picture(page, 'large-open');
  await page.context().close();
});
