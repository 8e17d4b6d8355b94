import { promisify } from 'node:util';
import { gunzip, gzip } from 'node:zlib';

/** Method by which replicas ask each other what they show of the mesh: a question without content, and JSON that is compressed. */
export const VIEW_PATH = '/heddle.replicas.v1.Replicas/View';

/** An answer is no longer than this, in bytes, when it is unpacked. */
const MAX_BYTES = 64 << 20;
const compress = promisify(gzip);
const decompress = promisify(gunzip);

/** Packs what a replica shows. */
export function encodeView(view: object): Promise<Buffer> {
  return compress(JSON.stringify(view), { level: 1 });
}

/** Reads what another replica shows; of a replica of another version some of it may be missing. @throws {Error} when it is no such answer */
export async function decodeView<T extends object>(bytes: Uint8Array): Promise<Partial<T>> {
  const text = await decompress(bytes, { maxOutputLength: MAX_BYTES });
  const view: unknown = JSON.parse(text.toString());
  if (typeof view !== 'object' || view === null) throw new Error('the answer of another replica is no view');
  return view as Partial<T>;
}
