import { mkdir } from 'node:fs/promises';
import path from 'node:path';
import { type Browser, type BrowserContextOptions, chromium, type Page, type Request } from 'playwright-core';
import { chromiumBinary } from '../../../hack/chromium/binary.ts';
import { artifactsFolder } from '../../../hack/test/artifacts.ts';

/** Where there is no Chromium yet its package is installed first, in ms. */
export const FIRST_START_MS = 180_000;

/** Chromium drops what it is loading when the machine's network changes, as it does where pods come and go beside the tests. */
const CHANGED = 'net::ERR_NETWORK_CHANGED';

/** A Chromium without windows. */
export async function launchChromium(): Promise<Browser> {
  // As root a sandbox can't be had, and nothing strange is opened here.
  return chromium.launch({ executablePath: await chromiumBinary(), chromiumSandbox: process.getuid?.() !== 0 });
}

/**
 * A page in a context of its own, of a desk's size unless told.
 * @param complaints gets what its console says that it should not: errors, and what the content security policy stopped
 */
export async function newPage(
  browser: Browser,
  complaints: string[],
  options: BrowserContextOptions = {},
): Promise<Page> {
  const context = await browser.newContext({
    viewport: { width: 1440, height: 900 },
    reducedMotion: 'reduce',
    ...options,
  });
  // Below Jest's own, so that what is missing is named.
  context.setDefaultTimeout(15_000);
  const page = await context.newPage();
  page.on('console', (message) => {
    if (message.type() === 'error' && !message.text().includes(CHANGED)) complaints.push(message.text());
  });
  page.on('pageerror', (error) => complaints.push(String(error)));
  return page;
}

/** Loads an address, anew when the machine's network changed meanwhile. */
export async function visit(page: Page, url: string): Promise<void> {
  for (;;) {
    let dropped = false;
    const note = (request: Request) => {
      const isPart = ['document', 'script', 'stylesheet'].includes(request.resourceType());
      if (isPart && request.failure()?.errorText === CHANGED) dropped = true;
    };
    page.on('requestfailed', note);
    await page.goto(url).catch((error: unknown) => {
      if (!String(error).includes(CHANGED)) throw error;
      dropped = true;
    });
    page.off('requestfailed', note);
    if (!dropped) return;
    // From the same address it would only go to another place of what is loaded.
    await page.goto('about:blank');
  }
}

/** Keeps a picture where `HEDDLE_SCREENSHOTS` says; does nothing without. */
export async function picture(page: Page, name: string): Promise<void> {
  if (process.env.HEDDLE_SCREENSHOTS) await keptPicture(page, name);
}

/** Keeps a picture in any case: without `HEDDLE_SCREENSHOTS` among what tests leave behind. @returns its path */
export async function keptPicture(page: Page, name: string): Promise<string> {
  const folder = process.env.HEDDLE_SCREENSHOTS || path.join(artifactsFolder(), 'screenshots');
  await mkdir(folder, { recursive: true });
  const file = path.join(folder, `${name}.png`);
  await page.screenshot({ path: file, fullPage: true });
  return file;
}

/** Waits until a text is to be seen. */
export async function sees(page: Page, text: string | RegExp): Promise<void> {
  await page.getByText(text).filter({ visible: true }).first().waitFor();
}

/** What stands in a place, with blanks made one. */
export async function textOf(page: Page, selector: string): Promise<string> {
  return ((await page.locator(selector).first().allInnerTexts())[0] ?? '').replace(/\s+/g, ' ').trim();
}
