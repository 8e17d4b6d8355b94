import { BinaryWriter, WireType } from '@bufbuild/protobuf/wire';

/** A Node message with about as many bytes as that of the real Envoy. */
export function proxyNode(id: string): Uint8Array {
  const writer = new BinaryWriter().tag(1, WireType.LengthDelimited).string(id);
  return writer.tag(3, WireType.LengthDelimited).bytes(new Uint8Array(61_000)).finish();
}
