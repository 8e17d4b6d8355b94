import { NO_KEYS, readJwkSet } from '../../api/jwk-set.ts';
import { Controller } from '../../kube/controller.ts';
import { CONFIG_MAP } from '../../kube/kinds.ts';
import type { KubeApi } from '../../kube/kube-api.ts';
import { isNotFound } from '../../kube/kube-error.ts';
import type { Logger } from '../../kube/logger.ts';
import type { KubeObject } from '../../kube/object.ts';
import type { KeyFetcher } from './key-fetcher.ts';

/** Where the last good keys outlive the operator. They are public; who may write them may write the mesh's settings as well. */
export const KEYS_CONFIG_MAP = 'heddle-jwks';
const DATA_KEY = 'keys.json';
/** Of a ConfigMap's 1 MiB, as its JSON is a text in JSON. */
const MAX_BYTES = 524_288;
/** Keys that change together are written together. */
const WRITE_MS = 1000;

type KeysConfigMap = KubeObject & { readonly data?: Readonly<Record<string, string>> };

export interface KeyMemoryOptions {
  readonly api: Pick<KubeApi, 'get' | 'apply'>;
  readonly namespace: string;
  readonly fetcher: Pick<KeyFetcher, 'keys' | 'get' | 'onChange'>;
  readonly logger: Logger;
}

/**
 * The keys that an operator left behind, by their URI. What is no set of keys is left out, and without an answer there are none: keys are fetched anyway,
 * and these are for where that fails.
 */
export async function recallKeys({
  api,
  namespace,
  logger,
}: Omit<KeyMemoryOptions, 'fetcher'>): Promise<Map<string, string>> {
  const known = new Map<string, string>();
  try {
    const { data } = await api.get<KeysConfigMap>(CONFIG_MAP, { namespace, name: KEYS_CONFIG_MAP });
    const kept: unknown = JSON.parse(data?.[DATA_KEY] ?? '{}');
    for (const [uri, text] of Object.entries(kept ?? {})) {
      const set = typeof text === 'string' ? readJwkSet(text, false) : '';
      if (typeof set !== 'string' && set.count > 0) known.set(uri, set.text);
    }
  } catch (error) {
    if (!isNotFound(error)) logger.warn('keys of before could not be read', { name: KEYS_CONFIG_MAP, error });
  }
  return known;
}

/** Writes down the last good keys; only the leader runs this. @param signal ends it */
export function rememberKeys(options: KeyMemoryOptions, signal: AbortSignal): void {
  const { api, namespace, fetcher, logger } = options;
  let written: string | undefined;
  const controller = new Controller({
    name: 'token-keys',
    backoffMs: [1000, 60_000],
    logger,
    async reconcile() {
      const text = render(fetcher, logger);
      // Without any there never need be one; that one is there is not known before it is written.
      if (text === written || (written === undefined && text === '{}' && [...fetcher.keys()].length === 0)) return {};
      const metadata = { namespace, name: KEYS_CONFIG_MAP, labels: { 'app.kubernetes.io/managed-by': 'heddle' } };
      const object: KeysConfigMap = { metadata, data: { [DATA_KEY]: text } };
      await api.apply<KeysConfigMap>(CONFIG_MAP, object, { fieldManager: 'heddle-jwks' });
      written = text;
      return {};
    },
  });
  const end = fetcher.onChange(() => controller.enqueueAfter('keys', WRITE_MS));
  controller.enqueue('keys');
  controller.start();
  signal.addEventListener(
    'abort',
    () => {
      end();
      void controller.stop();
    },
    { once: true },
  );
}

function render(fetcher: Pick<KeyFetcher, 'keys' | 'get'>, logger: Logger): string {
  const kept: Record<string, string> = {};
  let bytes = 0;
  let left = 0;
  for (const uri of [...fetcher.keys()].sort()) {
    const keys = fetcher.get(uri)?.keys ?? NO_KEYS;
    // Whoever withdrew all keys is not to have them again.
    if (keys === NO_KEYS) continue;
    const more = JSON.stringify({ [uri]: keys }).length;
    if (bytes + more > MAX_BYTES) left += 1;
    else {
      kept[uri] = keys;
      bytes += more;
    }
  }
  if (left > 0) logger.warn('there are too many keys to keep all of them over a restart', { left });
  return JSON.stringify(kept);
}
