import { mkdir } from 'node:fs/promises';
import path from 'node:path';
import { type Browser, type BrowserContextOptions, chromium, type Page } from 'playwright-core';
import { chromiumBinary } from '../../../hack/chromium/binary.ts';

/** Where there is no Chromium yet its package is installed first, in ms. */
export const FIRST_START_MS = 180_000;

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
    if (message.type() === 'error') complaints.push(message.text());
  });
  page.on('pageerror', (error) => complaints.push(String(error)));
  return page;
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
