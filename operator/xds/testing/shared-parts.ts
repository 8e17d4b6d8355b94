import type { JsonObject, JsonValue } from '@bufbuild/protobuf';

/** What is the same in most filter chains, and long. */
const PARTS = new Set(['access_log', 'tags']);

/**
 * The same message in which equal logs and sets of tags are one object each, so that YAML writes them once and names them from then on.
 * @param known of the same document
 */
export function shareParts(message: JsonObject, known = new Map<string, JsonValue>()): JsonObject {
  return Object.fromEntries(Object.entries(message).map(([key, value]) => [key, shared(key, value, known)]));
}

function shared(key: string, value: JsonValue, known: Map<string, JsonValue>): JsonValue {
  if (typeof value !== 'object' || value === null) return value;
  const text = PARTS.has(key) ? JSON.stringify(value) : undefined;
  const same = text === undefined ? undefined : known.get(text);
  if (same !== undefined) return same;
  const made = Array.isArray(value) ? value.map((item) => shared('', item, known)) : shareParts(value, known);
  if (text !== undefined) known.set(text, made);
  return made;
}
