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

/** Reads a response. @param sums whether checksums are wanted; else they are 0 */
export function readDeltaResponse(bytes: Uint8Array, sums: boolean): ReceivedResponse {
  const reader = new BinaryReader(bytes);
  const resources: ReceivedResource[] = [];
  const removed: string[] = [];
  let typeUrl = '';
  let nonce = '';
  while (reader.pos < reader.len) {
    const [field, wireType] = reader.tag();
    if (field === 2) resources.push(readResource(reader.bytes(), sums));
    else if (field === 4) typeUrl = reader.string();
    else if (field === 5) nonce = reader.string();
    else if (field === 6) removed.push(reader.string());
    else reader.skip(wireType);
  }
  return { typeUrl, nonce, resources, removed };
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
