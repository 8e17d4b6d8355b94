import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import type { Browser, BrowserContextOptions, Page } from 'playwright-core';
import { buildPage } from '../../../hack/page/build.ts';
import { launchChromium, newPage, visit } from './look.ts';
import { PageServer } from './page-server.ts';

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
    const browser = await launchChromium();
    return new PageTest(server, await server.start(), browser, folder);
  }

  async stop(): Promise<void> {
    await this.#browser.close();
    await this.server.stop();
    await rm(this.#folder, { recursive: true, force: true });
  }

  /** Opens an address of the page. @param hash what stands behind `#` */
  async open(hash: string, options: BrowserContextOptions = {}): Promise<Page> {
    const page = await newPage(this.#browser, this.complaints, options);
    await visit(page, `${this.origin}#${hash}`);
    await page.locator('main > *').first().waitFor();
    return page;
  }
}
