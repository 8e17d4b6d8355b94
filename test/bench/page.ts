import { gzipSync } from 'node:zlib';
import type { Page } from 'playwright-core';
import { largeGraph } from '../feature/page/large-graph.ts';
import { PageTest } from '../feature/page/open-page.ts';
import { quantile, round } from './figures.ts';
import type { BenchResult } from './result.ts';

const SERVICES = 500;
const FRAMES = 30;
/** The graph comes every so many ms, as from the operator. */
const GRAPH_MS = 5000;
/** Within which the page of a small mesh is to be there, in ms. */
const SHOWN_AIM_MS = 1000;

/** What the page costs with many services: what is sent, and how long a real Chromium takes for it. */
export async function run(): Promise<BenchResult[]> {
  const test = await PageTest.start(GRAPH_MS);
  try {
    // A browser that has just begun is busy with itself.
    await (await test.open('/mesh')).context().close();
    const shop = await drawing(test, 'the page, the sample shop', '*', test.server.graph.nodes.length, SHOWN_AIM_MS);
    test.server.graph = largeGraph(SERVICES);
    const bench = `the page, ${SERVICES} services, ${test.server.graph.edges.length} calls`;
    return [
      ...shop,
      ...(await payload(bench, 'the page itself', await assets(test.origin))),
      ...(await payload(bench, 'one graph', [Buffer.from(JSON.stringify(test.server.graph))])),
      ...(await drawing(test, `${bench}, as namespaces`, 'none', 20)),
      ...(await drawing(test, `${bench}, one by one`, '*', SERVICES)),
    ];
  } finally {
    await test.stop();
  }
}

/** The document and what it names. */
async function assets(origin: string): Promise<Buffer[]> {
  const document = await get(origin);
  const names = [...document.toString().matchAll(/(?:src|href)="(?!data:|#)([^"]+)"/g)].map(([, name = '']) => name);
  return [document, ...(await Promise.all(names.map((name) => get(new URL(name, origin).href))))];
}

async function get(url: string): Promise<Buffer> {
  const response = await fetch(url);
  if (!response.ok) throw new Error(`${url} was answered ${response.status}`);
  return Buffer.from(await response.arrayBuffer());
}

async function payload(bench: string, what: string, parts: readonly Buffer[]): Promise<BenchResult[]> {
  const sum = (sizes: readonly number[]): number => round(sizes.reduce((all, size) => all + size, 0) / 1024);
  return [
    { bench, figure: what, value: sum(parts.map(({ length }) => length)), unit: 'KiB' },
    { bench, figure: `${what}, gzipped`, value: sum(parts.map((part) => gzipSync(part).length)), unit: 'KiB' },
  ];
}

/** @param aim within which all is to be drawn, in ms */
async function drawing(
  test: PageTest,
  bench: string,
  open: string,
  cards: number,
  aim?: number,
): Promise<BenchResult[]> {
  const page = await test.open(`/graph?open=${open}`);
  await page
    .locator('.card')
    .nth(cards - 1)
    .waitFor();
  // Since the browser was told the address.
  const shown = (await page.evaluate('performance.now()')) as number;
  const frames = await framesWhileZooming(page);
  await page.context().close();
  return [
    { bench, figure: 'until all is drawn', value: round(shown), unit: 'ms', ...(aim === undefined ? {} : { aim }) },
    { bench, figure: 'a frame while zooming, p50', value: round(quantile(frames, 0.5)), unit: 'ms' },
    { bench, figure: 'a frame while zooming, p99', value: round(quantile(frames, 0.99)), unit: 'ms' },
  ];
}

/** Lengths of frames in ms, for as long as the wheel turns. */
async function framesWhileZooming(page: Page): Promise<number[]> {
  await page.mouse.move(400, 400);
  const lengths = page.evaluate(
    `new Promise((done) => { const times = []; const next = (now) => { times.push(now); times.length <= ${FRAMES} ? requestAnimationFrame(next) : done(times.slice(1).map((time, index) => time - times[index])); }; requestAnimationFrame(next); })`,
  );
  let over = false;
  const ended = lengths.then(() => {
    over = true;
  });
  for (let step = 0; !over; step++) await page.mouse.wheel(0, step % 8 < 4 ? -60 : 60);
  await ended;
  return (await lengths) as number[];
}
