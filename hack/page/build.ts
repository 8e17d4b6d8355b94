import { cp, mkdir } from 'node:fs/promises';
import path from 'node:path';
import { build } from 'esbuild';

const SOURCE = path.join(import.meta.dirname, '..', '..', 'operator', 'dashboard', 'page');

/** What is served as it is. */
const STATIC = ['index.html', 'icon.svg'];

const LICENCES = '/*! Contains Preact (MIT, Jason Miller) and dagre (MIT, Chris Pettitt, and contributors). */';

/**
 * Makes the page of the dashboard: one script, one style sheet, and the files that stay as they are.
 * @param folder where to; it is made when it is not there
 */
export async function buildPage(folder: string): Promise<void> {
  await mkdir(folder, { recursive: true });
  await build({
    entryPoints: { page: path.join(SOURCE, 'main.ts') },
    outdir: folder,
    bundle: true,
    minify: true,
    format: 'esm',
    target: 'es2022',
    banner: { js: LICENCES },
    legalComments: 'none',
    logLevel: 'warning',
  });
  await build({
    entryPoints: { page: path.join(SOURCE, 'page.css') },
    outdir: folder,
    bundle: true,
    minify: true,
    // Keeps light-dark() as it is.
    target: ['chrome123', 'firefox120', 'safari17.5'],
    logLevel: 'warning',
  });
  for (const name of STATIC) await cp(path.join(SOURCE, name), path.join(folder, name));
}
