/** `node hack/page/main.ts`: makes the dashboard's page beside the compiled sources in `dist`. */
import path from 'node:path';
import { buildPage } from './build.ts';

await buildPage(path.join(import.meta.dirname, '..', '..', 'dist', 'operator', 'dashboard', 'page'));
