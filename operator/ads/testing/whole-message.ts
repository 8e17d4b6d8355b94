import type { ResponseMessage } from '../response.ts';

/** A message as the other end has it once it has read all of it, without gRPC's frame. @param pieceBytes it is read in pieces of so many bytes */
export function wholeMessage(message: ResponseMessage, pieceBytes = 1 << 14): Buffer {
  const reader = message.read();
  const pieces: Buffer[] = [];
  while (!reader.isDone) {
    const room = Buffer.alloc(pieceBytes);
    pieces.push(room.subarray(0, reader.into(room)));
  }
  const framed = Buffer.concat(pieces);
  if (framed.readUInt8(0) !== 0 || framed.readUInt32BE(1) !== framed.length - 5)
    throw new Error('it is no frame of gRPC');
  return framed.subarray(5);
}
