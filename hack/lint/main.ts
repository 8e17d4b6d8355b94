/** `node hack/lint/main.ts`: writes the import law as Biome reads it. */
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { lawConfiguration } from './import-law.ts';

await writeFile(join(import.meta.dirname, 'import-law.json'), `${JSON.stringify(lawConfiguration(), null, 2)}\n`);
