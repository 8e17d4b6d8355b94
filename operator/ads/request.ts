import { BoundedReader } from './bounded-reader.ts';

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

/** Most names, and three for each resource held, of a request: twice those of a proxy that has all of 5,000 Services. */
const MAX_PARTS = 100_000;
/** Longest message of a rejection that is kept, in characters. Envoy repeats whole configurations in some. */
const MAX_ERROR_LENGTH = 2048;

/**
 * Decodes a DeltaDiscoveryRequest. Envoy's first message carries a Node of about 61 KB; of it only the ID is read.
 * @throws RangeError or Error from the reader when the bytes are no protobuf, or have too many parts
 */
export function decodeDeltaRequest(bytes: Uint8Array): DeltaRequest {
  const reader = new BoundedReader(bytes, MAX_PARTS);
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
      nodeId = decodeNodeId(reader.nested());
    } else if (field === 2) {
      typeUrl = reader.string();
    } else if (field === 3) {
      subscribe.push(reader.string());
    } else if (field === 4) {
      unsubscribe.push(reader.string());
    } else if (field === 5) {
      const [name, version] = decodeStringPair(reader.nested());
      initialVersions.set(name, version);
    } else if (field === 6) {
      nonce = reader.string();
    } else if (field === 7) {
      error = decodeStatusMessage(reader.nested());
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
  const reader = new BoundedReader(message);
  while (reader.pos < reader.len) {
    const [field, wireType] = reader.tag();
    if (field === 1) {
      return decodeIdentifierNode(reader.nested());
    }
    reader.skip(wireType);
  }
  return '';
}

function decodeIdentifierNode(reader: BoundedReader): string {
  while (reader.pos < reader.len) {
    const [field, wireType] = reader.tag();
    if (field === 1) {
      return decodeNodeId(reader.nested());
    }
    reader.skip(wireType);
  }
  return '';
}

/** `envoy.config.core.v3.Node.id`, without decoding the rest. */
function decodeNodeId(reader: BoundedReader): string {
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
function decodeStringPair(reader: BoundedReader): [string, string] {
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

function decodeStatusMessage(reader: BoundedReader): string {
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
