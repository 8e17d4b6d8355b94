import { BinaryReader } from '@bufbuild/protobuf/wire';

/** What is read of an `envoy.service.discovery.v3.DeltaDiscoveryRequest`. */
export interface DeltaRequest {
  /** `node.id`; undefined where the request carries no Node (Envoy sends it with the first message of a stream only). */
  readonly nodeId: string | undefined;
  readonly typeUrl: string;
  readonly subscribe: readonly string[];
  readonly unsubscribe: readonly string[];
  /** What the proxy holds from an earlier stream: versions by resource name. */
  readonly initialVersions: ReadonlyMap<string, string>;
  /** Nonce of the response that this acknowledges or rejects; empty for a spontaneous request. */
  readonly nonce: string;
  /** Message of `error_detail`: the response was rejected. */
  readonly error: string | undefined;
}

/** Longest message of a rejection that is kept, in characters. Envoy repeats whole configurations in some. */
const MAX_ERROR_LENGTH = 2048;

/**
 * Decodes a DeltaDiscoveryRequest. Envoy's first message carries a Node of about 61 KB; of it only the ID is read.
 * @throws RangeError or Error from the reader when the bytes are no protobuf
 */
export function decodeDeltaRequest(bytes: Uint8Array): DeltaRequest {
  const reader = new BinaryReader(bytes);
  const subscribe: string[] = [];
  const unsubscribe: string[] = [];
  const initialVersions = new Map<string, string>();
  let nodeId: string | undefined;
  let typeUrl = '';
  let nonce = '';
  let error: string | undefined;
  while (reader.pos < reader.len) {
    const [field, wireType] = reader.tag();
    if (field === 1) {
      nodeId = decodeNodeId(reader.bytes());
    } else if (field === 2) {
      typeUrl = reader.string();
    } else if (field === 3) {
      subscribe.push(reader.string());
    } else if (field === 4) {
      unsubscribe.push(reader.string());
    } else if (field === 5) {
      const [name, version] = decodeStringPair(reader.bytes());
      initialVersions.set(name, version);
    } else if (field === 6) {
      nonce = reader.string();
    } else if (field === 7) {
      error = decodeStatusMessage(reader.bytes());
    } else {
      reader.skip(wireType);
    }
  }
  return { nodeId, typeUrl, subscribe, unsubscribe, initialVersions, nonce, error };
}

/**
 * The node ID of the first `envoy.service.metrics.v3.StreamMetricsMessage` of a stream (`identifier.node.id`); empty when it
 * has none.
 */
export function decodeStreamIdentifier(message: Uint8Array): string {
  const reader = new BinaryReader(message);
  while (reader.pos < reader.len) {
    const [field, wireType] = reader.tag();
    if (field === 1) {
      return decodeIdentifierNode(reader.bytes());
    }
    reader.skip(wireType);
  }
  return '';
}

function decodeIdentifierNode(identifier: Uint8Array): string {
  const reader = new BinaryReader(identifier);
  while (reader.pos < reader.len) {
    const [field, wireType] = reader.tag();
    if (field === 1) {
      return decodeNodeId(reader.bytes());
    }
    reader.skip(wireType);
  }
  return '';
}

/** `envoy.config.core.v3.Node.id`, without decoding the rest. */
function decodeNodeId(node: Uint8Array): string {
  const reader = new BinaryReader(node);
  while (reader.pos < reader.len) {
    const [field, wireType] = reader.tag();
    if (field === 1) {
      return reader.string();
    }
    reader.skip(wireType);
  }
  return '';
}

/** One entry of a `map<string, string>`. */
function decodeStringPair(bytes: Uint8Array): [string, string] {
  const reader = new BinaryReader(bytes);
  let key = '';
  let value = '';
  while (reader.pos < reader.len) {
    const [field, wireType] = reader.tag();
    if (field === 1) {
      key = reader.string();
    } else if (field === 2) {
      value = reader.string();
    } else {
      reader.skip(wireType);
    }
  }
  return [key, value];
}

function decodeStatusMessage(bytes: Uint8Array): string {
  const reader = new BinaryReader(bytes);
  let message = '';
  while (reader.pos < reader.len) {
    const [field, wireType] = reader.tag();
    if (field === 2) {
      message = reader.string();
    } else {
      reader.skip(wireType);
    }
  }
  return message.length > MAX_ERROR_LENGTH ? `${message.slice(0, MAX_ERROR_LENGTH)}…` : message;
}
