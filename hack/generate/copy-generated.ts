/** `node hack/generate/copy-generated.ts`: copies the generated JavaScript beside the compiled sources in `dist`. */
import { cpSync, existsSync, statSync } from 'node:fs';
import { join } from 'node:path';

const ROOT = join(import.meta.dirname, '..', '..');
const SOURCE = join(ROOT, 'generated');

if (!existsSync(join(SOURCE, 'envoy'))) {
  console.error('copy-generated: generated/envoy is missing: run npm run generate.');
  process.exitCode = 1;
} else {
  cpSync(SOURCE, join(ROOT, 'dist', 'generated'), {
    recursive: true,
    filter: (path) => statSync(path).isDirectory() || path.endsWith('.js'),
  });
}
