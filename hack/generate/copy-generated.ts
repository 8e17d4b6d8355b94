/** `node hack/generate/copy-generated.ts`: copies into `dist` what is not compiled: the generated JavaScript, and the page that the operator serves. */
import { cpSync, existsSync, statSync } from 'node:fs';
import { join } from 'node:path';

const ROOT = join(import.meta.dirname, '..', '..');
const SOURCE = join(ROOT, 'generated');
const PAGE = join('operator', 'dashboard', 'page');

if (!existsSync(join(SOURCE, 'envoy'))) {
  console.error('copy-generated: generated/envoy is missing: run npm run generate.');
  process.exitCode = 1;
} else {
  cpSync(SOURCE, join(ROOT, 'dist', 'generated'), {
    recursive: true,
    filter: (path) => statSync(path).isDirectory() || path.endsWith('.js'),
  });
}
cpSync(join(ROOT, PAGE), join(ROOT, 'dist', PAGE), {
  recursive: true,
  filter: (path) => statSync(path).isDirectory() || !path.endsWith('.ts'),
});
