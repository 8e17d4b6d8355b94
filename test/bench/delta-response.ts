import { crc32 } from 'node:zlib';
import { BinaryReader } from '@bufbuild/protobuf/wire';

/** A resource of a response as far as the played proxies look at it. */
export interface ReceivedResource {
  readonly name: string;
  readonly version: string;
  /** Of the resource itself, so that equal content can be told however it came about. */
  readonly checksum: number;
}

/** A DeltaDiscoveryResponse as far as the played proxies look at it. */
export interface ReceivedResponse {
  readonly typeUrl: string;
  readonly nonce: string;
  readonly resources: readonly ReceivedResource[];
  readonly removed: readonly string[];
}

/** Resources that were read before, by the length of their bytes: hundreds of proxies are sent the same, and their reading is not what is measured. */
const READ = new Map<
  number,
  { readonly bytes: Buffer; readonly sums: boolean; readonly resources: ReceivedResource[] }
>();
const WORTH_KEEPING = 1 << 14;
const MOST_KEPT = 200;

/** Reads a response. @param sums whether checksums are wanted; else they are 0 */
export function readDeltaResponse(bytes: Buffer, sums: boolean): ReceivedResponse {
  const reader = new BinaryReader(bytes);
  const removed: string[] = [];
  let typeUrl = '';
  let nonce = '';
  let resources: readonly ReceivedResource[] = [];
  while (reader.pos < reader.len) {
    const start = reader.pos;
    const [field, wireType] = reader.tag();
    if (field === 4) typeUrl = reader.string();
    else if (field === 5) nonce = reader.string();
    else if (field === 6) removed.push(reader.string());
    else if (field === 2) {
      // Our control plane has them last.
      resources = readResources(bytes.subarray(start), sums);
      break;
    } else reader.skip(wireType);
  }
  return { typeUrl, nonce, resources, removed };
}

/** @throws Error when there is anything but resources */
function readResources(bytes: Buffer, sums: boolean): readonly ReceivedResource[] {
  const known = READ.get(bytes.length);
  if (known?.sums === sums && known.bytes.equals(bytes)) return known.resources;
  const reader = new BinaryReader(bytes);
  const resources: ReceivedResource[] = [];
  while (reader.pos < reader.len) {
    const [field] = reader.tag();
    if (field !== 2) throw new Error(`field ${field} after resources`);
    resources.push(readResource(reader.bytes(), sums));
  }
  if (bytes.length >= WORTH_KEEPING) {
    if (READ.size >= MOST_KEPT) READ.clear();
    READ.set(bytes.length, { bytes: Buffer.from(bytes), sums, resources });
  }
  return resources;
}

function readResource(bytes: Uint8Array, sums: boolean): ReceivedResource {
  const reader = new BinaryReader(bytes);
  let name = '';
  let version = '';
  let checksum = 0;
  while (reader.pos < reader.len) {
    const [field, wireType] = reader.tag();
    if (field === 3) name = reader.string();
    else if (field === 1) version = reader.string();
    else if (field === 2 && sums) checksum = crc32(reader.bytes());
    else reader.skip(wireType);
  }
  return { name, version, checksum };
}
