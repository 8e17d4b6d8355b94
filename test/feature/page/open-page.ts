import { mkdir, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { type Browser, type BrowserContextOptions, chromium, type Page } from 'playwright-core';
import { chromiumBinary } from '../../../hack/chromium/binary.ts';
import { buildPage } from '../../../hack/page/build.ts';
import { PageServer } from './page-server.ts';

/** Where there is no Chromium yet its package is installed first, in ms. */
export const FIRST_START_MS = 180_000;

/** A Chromium, a server, and pages opened in them. */
export class PageTest {
  readonly server: PageServer;
  readonly origin: string;
  /** What the console of any page said that it should not: errors, and what the content security policy stopped. */
  readonly complaints: string[] = [];
  readonly #browser: Browser;
  readonly #folder: string;

  private constructor(server: PageServer, origin: string, browser: Browser, folder: string) {
    this.server = server;
    this.origin = origin;
    this.#browser = browser;
    this.#folder = folder;
  }

  /** @param graphMs how often the graph is told; often, so that no test waits for long */
  static async start(graphMs = 200): Promise<PageTest> {
    const folder = await mkdtemp(path.join(tmpdir(), 'heddle-page-'));
    await buildPage(folder);
    const server = new PageServer(folder, graphMs);
    // As root a sandbox can't be had, and nothing strange is opened here.
    const browser = await chromium.launch({
      executablePath: await chromiumBinary(),
      chromiumSandbox: process.getuid?.() !== 0,
    });
    return new PageTest(server, await server.start(), browser, folder);
  }

  async stop(): Promise<void> {
    await this.#browser.close();
    await this.server.stop();
    await rm(this.#folder, { recursive: true, force: true });
  }

  /** Opens an address of the page. @param hash what stands behind `#` */
  async open(hash: string, options: BrowserContextOptions = {}): Promise<Page> {
    const context = await this.#browser.newContext({
      viewport: { width: 1440, height: 900 },
      reducedMotion: 'reduce',
      ...options,
    });
    // Below Jest's own, so that what is missing is named.
    context.setDefaultTimeout(15_000);
    const page = await context.newPage();
    page.on('console', (message) => {
      if (message.type() === 'error') this.complaints.push(message.text());
    });
    page.on('pageerror', (error) => this.complaints.push(String(error)));
    await page.goto(`${this.origin}#${hash}`);
    await page.locator('main > *').first().waitFor();
    return page;
  }
}

/** Keeps a picture where `HEDDLE_SCREENSHOTS` says, as CI does with what it keeps; does nothing without. */
export async function picture(page: Page, name: string): Promise<void> {
  const folder = process.env.HEDDLE_SCREENSHOTS;
  if (!folder) return;
  await mkdir(folder, { recursive: true });
  await page.screenshot({ path: path.join(folder, `${name}.png`), fullPage: true });
}

/** Waits until a text is to be seen. */
export async function sees(page: Page, text: string | RegExp): Promise<void> {
  await page.getByText(text).filter({ visible: true }).first().waitFor();
}

/** What stands in a place, with blanks made one. */
export async function textOf(page: Page, selector: string): Promise<string> {
  return ((await page.locator(selector).first().allInnerTexts())[0] ?? '').replace(/\s+/g, ' ').trim();
}
