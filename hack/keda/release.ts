import path from 'node:path';
import { ensureBinary, KEDA_ADAPTER, KEDA_OPERATOR, type Show } from '../cluster/binaries.ts';
import { run } from '../cluster/command.ts';

/** What is needed to run KEDA. */
export interface KedaRelease {
  /** Path of its operator. */
  readonly operator: string;
  /** Path of what serves external metrics. */
  readonly adapter: string;
  /** Folder of its CustomResourceDefinitions. */
  readonly definitions: string;
}

const MODULE = 'github.com/kedacore/keda/v2';

/**
 * Builds KEDA where the cache does not have it; its definitions stand in Go's own cache.
 * @param show draws how far the build is
 * @throws PrerequisiteError without Go; Error with Go's words when that fails.
 */
export async function keda(show?: Show): Promise<KedaRelease> {
  const operator = await ensureBinary(KEDA_OPERATOR, show);
  const adapter = await ensureBinary(KEDA_ADAPTER, show);
  const env = { ...process.env, GOWORK: 'off', GOFLAGS: '-mod=readonly' };
  const answer = await run('go', ['mod', 'download', '-json', MODULE], { cwd: KEDA_OPERATOR.folder, env });
  const { Dir } = JSON.parse(answer) as { readonly Dir: string };
  return { operator, adapter, definitions: path.join(Dir, 'config', 'crd', 'bases') };
}
