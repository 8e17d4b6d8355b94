/** `node hack/lint/main.ts`: writes the import law as Biome reads it, in the form that Biome wants files in. */
import { execFile } from 'node:child_process';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { lawConfiguration } from './import-law.ts';

const root = join(import.meta.dirname, '../..');
const file = join(import.meta.dirname, 'import-law.json');
await writeFile(file, `${JSON.stringify(lawConfiguration(), null, 2)}\n`);
await promisify(execFile)(join(root, 'node_modules/.bin/biome'), ['format', '--write', file], { cwd: root });
