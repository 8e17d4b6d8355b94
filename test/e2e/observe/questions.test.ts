import { afterAll, describe, expect } from '@jest/globals';
import type { Browser, Locator, Page } from 'playwright-core';
import type { CanaryStatus } from '../../../api/canary-status.ts';
import { waitUntil } from '../../../hack/mesh/wait.ts';
import { keptPicture, launchChromium, newPage, visit } from '../../feature/page/look.ts';
import { Dashboard } from '../support/dashboard.ts';
import { heddle, where } from '../support/heddle-command.ts';
import { clusterSetup, clusterTest, useNamespace } from '../support/namespace.ts';
import { DELAY_MS, questionedShop } from '../support/questioned-shop.ts';
import { SHOP_DEPLOYMENTS } from '../support/sample-shop.ts';

/** What a newcomer wants to know of a shop, read from what commands print and from what the page shows, and nothing else. */

const shop = useNamespace('questions');
const status = async (): Promise<CanaryStatus> =>
  (await shop.get<{ status?: CanaryStatus }>('canary', 'ordering'))?.status ?? {};
const untilCanary = (what: string, check: (status: CanaryStatus) => boolean): Promise<void> =>
  waitUntil(
    what,
    async () => {
      const now = await status();
      return check(now) ? undefined : JSON.stringify(now);
    },
    { timeoutMs: 120_000 },
  );

let dashboard: Dashboard;
let browser: Browser;

clusterSetup(
  [shop],
  async () => {
    await shop.apply(...questionedShop());
    [browser, dashboard] = await Promise.all([
      launchChromium(),
      Dashboard.open(shop.kubectl),
      ...[...SHOP_DEPLOYMENTS, 'reports', 'visitor'].map((name) => shop.rolledOut(name)),
    ]);
    await shop.run('scale', 'deployment/load', '--replicas=1');
    await shop.rolledOut('load');
    await untilCanary('the Canary', ({ phase }) => phase === 'Initialized');
    await shop.run('set', 'env', 'deployment/ordering', 'VERSION=v2');
    await untilCanary('a release that is held', ({ hold }) => hold?.point === 'Promotion' || hold?.point === 'Advance');
    await waitUntil(
      'all calls',
      async () => {
        const { edges } = await dashboard.graph(shop.name, 60);
        return edges.length === 5 ? undefined : edges.map(({ id }) => id).join(', ');
      },
      { timeoutMs: 120_000 },
    );
  },
  300_000,
);
afterAll(async () => {
  process.stderr.write(`questions, and how they were answered:\n${told.map((line) => `  ${line}\n`).join('')}`);
  await browser?.close();
  await dashboard?.close();
});

const told: string[] = [];
let steps = 0;

/** Takes down how a question was answered. @param by what was done */
async function answer(question: string, by: 'command' | 'click', work: () => Promise<void>): Promise<void> {
  const start = performance.now();
  steps = 0;
  await work();
  told.push(
    `${question}: ${steps} ${by}${steps === 1 ? '' : 's'}, ${((performance.now() - start) / 1000).toFixed(1)} s`,
  );
}

/** What a command prints. */
async function command(...args: string[]): Promise<string> {
  steps += 1;
  return (await heddle(...args, '-n', shop.name, ...where)).stdout;
}

type Line = Readonly<Record<string, string>>;

/** The lines of a table of calls, each with its cells by their titles, such as `MTLS`. */
function callsIn(text: string): Line[] {
  const [head = '', ...lines] = text.slice(text.indexOf('EDGE ')).trimEnd().split('\n');
  const titles = [...head.matchAll(/\S+(?: \S+)*/g)];
  return lines.map((line) =>
    Object.fromEntries(
      titles.map(([title], index) => [title, line.slice(titles[index]?.index, titles[index + 1]?.index).trim()]),
    ),
  );
}

describe('from the command line', () => {
  clusterTest('which service is the bottleneck', [shop], () =>
    answer('which service is the bottleneck', 'command', async () => {
      expect(await command('top', '--sort', 'own')).toMatch(/\nWORKLOAD .*\nordering /);
    }),
  );

  clusterTest('which call fails, and why', [shop], () =>
    answer('which call fails, and why', 'command', async () => {
      const [failing] = callsIn(await command('top', 'edges', '--sort', 'errors', '-o', 'wide'));
      expect(failing).toMatchObject({
        EDGE: expect.stringMatching(/^reports > .*stock/),
        'FAILS WITH': '503 UH',
      });
      expect(await command('explain', 'deploy/reports', 'http://stock/orders')).toMatch(
        /REFUSED: .*no pod of stock\S* is there to take it/,
      );
    }),
  );

  clusterTest('who was refused, and why', [shop], () =>
    answer('who was refused, and why', 'command', async () => {
      expect(await command('logs', 'inventory', '--refusals', '--tail', '20')).toMatch(
        new RegExp(`GET inventory/orders .* answered 403: refused by AuthorizationPolicy ${shop.name}/known-callers`),
      );
    }),
  );

  clusterTest('is this hop encrypted', [shop], () =>
    answer('is this hop encrypted', 'command', async () => {
      const calls = callsIn(await command('top', 'edges'));
      const hop = (name: string): Line | undefined => calls.find(({ EDGE }) => EDGE === name);
      expect(hop('ordering > inventory')?.MTLS).toBe('all');
      expect(hop('unknown > inventory')?.MTLS).toBe('none');
    }),
  );

  clusterTest('what the canary waits for', [shop], () =>
    answer('what the canary waits for', 'command', async () => {
      expect(await command('canary', 'status', 'ordering')).toMatch(
        / Waiting .*\nspec\.analysis\.pauses holds it after step 1.*the command resume goes on\n/,
      );
    }),
  );
});

describe('from the page', () => {
  let page: Page;

  /** The graph of the shop, as a newcomer finds it. */
  async function begin(): Promise<void> {
    page = await newPage(browser, []);
    await visit(page, `${dashboard.url}/#/graph?ns=${shop.name}`);
    await page.locator('.wire-label').nth(4).waitFor();
  }

  async function click(what: string, text: string | RegExp = ''): Promise<void> {
    steps += 1;
    await page.locator(what).filter({ hasText: text }).first().click();
  }

  /** What stands in a place, once it is there. */
  async function read(place: Locator): Promise<string> {
    await place.first().waitFor();
    return ((await place.allInnerTexts())[0] ?? '').replaceAll(/\s+/g, ' ');
  }

  const question = (name: string, work: () => Promise<void>): void =>
    clusterTest(name, [shop], () =>
      answer(name, 'click', async () => {
        await begin();
        await work();
        await page.context().close();
      }),
    );

  question('which service is the bottleneck', async () => {
    const slowest = page.locator('aside h3', { hasText: 'Slowest by itself' }).locator('+ ul li');
    const said = await read(slowest);
    expect(said).toMatch(/^ordering [\d.]+ m?s$/);
    // Envoy tells sums within 5 %; a busy machine adds what it likes.
    const [, amount, unit] = / ([\d.]+) (m?s)$/.exec(said) ?? [];
    expect(Number(amount) * (unit === 's' ? 1000 : 1)).toBeGreaterThanOrEqual(0.95 * DELAY_MS);
    await keptPicture(page, 'real-questions');
  });

  question('which call fails, and why', async () => {
    await click('.wire-label.sev-bad');
    const facts = page.locator('aside .call-facts');
    expect(await read(facts.locator('h2'))).toMatch(/reports.*stock/);
    expect(await read(facts.locator('.answers'))).toMatch(/503 UH.*No healthy endpoint was left\./);
  });

  question('who was refused, and why', async () => {
    await click('nav a', 'Refused');
    const row = page.locator('tbody tr').filter({ hasText: 'known-callers' });
    expect(await read(row)).toMatch(/inventory.*a rule of a DENY policy matched.*known-callers/);
  });

  question('is this hop encrypted', async () => {
    const hop = (words: string) => page.locator('.wire-label').filter({ hasText: words }).locator('.lock');
    expect(await hop('ordering calls inventory').getAttribute('title')).toBe('encrypted by the mesh (mTLS)');
    expect(await hop('Without a sidecar calls inventory').getAttribute('title')).toBe('not encrypted by the mesh');
  });

  question('what the canary waits for', async () => {
    await click('nav a', 'Canaries');
    const line = page.locator('.canary-line').filter({ hasText: shop.name });
    expect(await read(line)).toMatch(
      /waiting.*spec\.analysis\.pauses holds it after step 1.*the command resume goes on/i,
    );
  });
});
