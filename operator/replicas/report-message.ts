import { BinaryReader, BinaryWriter, WireType } from '@bufbuild/protobuf/wire';
import type { RejectedResource } from '../ads/ack-report.ts';

/** A proxy with a stream to the reporting replica, or with one until a moment ago. */
export interface ProxyState {
  readonly uid: string;
  readonly podName: string;
  readonly namespace: string;
  readonly serviceAccount: string;
  readonly connected: boolean;
  /** Ms since the epoch, by the reporting replica's clock. */
  readonly connectedAt: number;
}

/** A version of a resource that some proxies have in force; '': none. */
export interface Term {
  readonly typeUrl: string;
  readonly name: string;
  readonly version: string;
}

/** Numbers of terms that became true of a proxy. */
export interface InForce {
  readonly uid: string;
  readonly terms: readonly number[];
  /** Those of them that stand for what it asked for by name, of types of which it may be sent some on demand. */
  readonly asked: readonly number[];
}

/**
 * One message from a replica to another: what became of its proxies. Terms are told once and numbered in their order from then on, for thousands of
 * proxies have the same versions of the same resources in force.
 */
export interface ReportMessage {
  /** Who reports, in the form of a proxy's node ID; in the first message of a stream. */
  readonly nodeId: string;
  /** The terms told so far are forgotten, and numbers begin at 0 again. */
  readonly termsAnew: boolean;
  readonly terms: readonly Term[];
  readonly states: readonly ProxyState[];
  /** UIDs of proxies that nothing is known of any more. */
  readonly forgotten: readonly string[];
  /** What became true of proxies. */
  readonly inForce: readonly InForce[];
  /** All that a proxy refuses now. */
  readonly rejections: readonly { readonly uid: string; readonly refused: readonly RejectedResource[] }[];
  /** Encoded `StreamMetricsMessage`s of proxies, in their order. */
  readonly metrics: readonly { readonly uid: string; readonly message: Uint8Array }[];
  /** Everything that the replica knew when the stream began has been told, in this message or before. */
  readonly whole: boolean;
}

export const NOTHING_TO_REPORT: ReportMessage = {
  nodeId: '',
  termsAnew: false,
  terms: [],
  states: [],
  forgotten: [],
  inForce: [],
  rejections: [],
  metrics: [],
  whole: false,
};

const BYTES = WireType.LengthDelimited;

/** Encodes a message in the wire format of Protocol Buffers, so that replicas of different versions skip what they do not know. */
export function encodeReport(message: ReportMessage): Buffer {
  const writer = new BinaryWriter();
  const text = (field: number, value: string): void => {
    if (value !== '') writer.tag(field, BYTES).string(value);
  };
  const flag = (field: number, value: boolean): void => {
    if (value) writer.tag(field, WireType.Varint).bool(value);
  };
  const nested = (field: number, write: () => void): void => {
    writer.tag(field, BYTES).fork();
    write();
    writer.join();
  };
  text(1, message.nodeId);
  flag(2, message.whole);
  flag(3, message.termsAnew);
  for (const { typeUrl, name, version } of message.terms) {
    nested(4, () => {
      text(1, typeUrl);
      text(2, name);
      text(3, version);
    });
  }
  for (const state of message.states) {
    nested(5, () => {
      text(1, state.uid);
      text(2, state.podName);
      text(3, state.namespace);
      text(4, state.serviceAccount);
      flag(5, state.connected);
      writer.tag(6, WireType.Varint).uint64(state.connectedAt);
    });
  }
  for (const uid of message.forgotten) text(6, uid);
  const numbers = (field: number, list: readonly number[]): void => {
    if (list.length === 0) return;
    nested(field, () => {
      for (const one of list) writer.uint32(one);
    });
  };
  for (const { uid, terms, asked } of message.inForce) {
    nested(7, () => {
      text(1, uid);
      numbers(2, terms);
      numbers(3, asked);
    });
  }
  for (const { uid, refused } of message.rejections) {
    nested(8, () => {
      text(1, uid);
      for (const one of refused) {
        nested(2, () => {
          text(1, one.typeUrl);
          text(2, one.name);
          text(3, one.version);
          text(4, one.message);
        });
      }
    });
  }
  for (const { uid, message: bytes } of message.metrics) {
    nested(9, () => {
      text(1, uid);
      writer.tag(2, BYTES).bytes(bytes);
    });
  }
  return Buffer.from(writer.finish());
}

/** Decodes what `encodeReport` gives. @throws {Error} from the reader when the bytes are no such message */
export function decodeReport(bytes: Uint8Array): ReportMessage {
  const terms: Term[] = [];
  const states: ProxyState[] = [];
  const forgotten: string[] = [];
  const inForce: InForce[] = [];
  const rejections: { uid: string; refused: RejectedResource[] }[] = [];
  const metrics: { uid: string; message: Uint8Array }[] = [];
  let [nodeId, whole, termsAnew] = ['', false, false];
  read(bytes, {
    1: (reader) => {
      nodeId = reader.string();
    },
    2: (reader) => {
      whole = reader.bool();
    },
    3: (reader) => {
      termsAnew = reader.bool();
    },
    4: (reader) => terms.push(readTerm(reader.bytes())),
    5: (reader) => states.push(readState(reader.bytes())),
    6: (reader) => forgotten.push(reader.string()),
    7: (reader) => inForce.push(readInForce(reader.bytes())),
    8: (reader) => rejections.push(readRejections(reader.bytes())),
    9: (reader) => metrics.push(readMetrics(reader.bytes())),
  });
  return { nodeId, whole, termsAnew, terms, states, forgotten, inForce, rejections, metrics };
}

type Fields = Readonly<Record<number, (reader: BinaryReader) => void>>;

function read(bytes: Uint8Array, fields: Fields): void {
  const reader = new BinaryReader(bytes);
  while (reader.pos < reader.len) {
    const [field, wireType] = reader.tag();
    const take = fields[field];
    if (take === undefined) reader.skip(wireType);
    else take(reader);
  }
}

/** Texts of a message by field; '' where there is none. */
function readTexts(bytes: Uint8Array, count: number, others: Fields = {}): string[] {
  const texts = Array.from({ length: count }, () => '');
  const fields: Record<number, (reader: BinaryReader) => void> = { ...others };
  for (let index = 0; index < count; index++) {
    fields[index + 1] = (reader) => {
      texts[index] = reader.string();
    };
  }
  read(bytes, fields);
  return texts;
}

function readTerm(bytes: Uint8Array): Term {
  const [typeUrl = '', name = '', version = ''] = readTexts(bytes, 3);
  return { typeUrl, name, version };
}

function readState(bytes: Uint8Array): ProxyState {
  let connected = false;
  let connectedAt = 0;
  const [uid = '', podName = '', namespace = '', serviceAccount = ''] = readTexts(bytes, 4, {
    5: (reader) => {
      connected = reader.bool();
    },
    6: (reader) => {
      connectedAt = Number(reader.uint64());
    },
  });
  return { uid, podName, namespace, serviceAccount, connected, connectedAt };
}

function readInForce(bytes: Uint8Array): InForce {
  const terms: number[] = [];
  const asked: number[] = [];
  const into = (list: number[]) => (reader: BinaryReader) => {
    const end = reader.uint32() + reader.pos;
    while (reader.pos < end) list.push(reader.uint32());
  };
  const [uid = ''] = readTexts(bytes, 1, { 2: into(terms), 3: into(asked) });
  return { uid, terms, asked };
}

function readRejections(bytes: Uint8Array): { uid: string; refused: RejectedResource[] } {
  const refused: RejectedResource[] = [];
  const [uid = ''] = readTexts(bytes, 1, {
    2: (reader) => {
      const [typeUrl = '', name = '', version = '', message = ''] = readTexts(reader.bytes(), 4);
      refused.push({ typeUrl, name, version, message });
    },
  });
  return { uid, refused };
}

function readMetrics(bytes: Uint8Array): { uid: string; message: Uint8Array } {
  let message: Uint8Array = new Uint8Array();
  const [uid = ''] = readTexts(bytes, 1, {
    2: (reader) => {
      message = reader.bytes();
    },
  });
  return { uid, message };
}
