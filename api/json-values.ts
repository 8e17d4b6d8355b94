const [QUOTE, BACKSLASH, COMMA, LIST, OBJECT] = [0x22, 0x5c, 0x2c, 0x5b, 0x7b];

/**
 * Whether JSON has more values than so many: commas, lists and objects are counted. It is not parsed for that, and may be none.
 * @param text in UTF-8
 */
export function hasMoreValues(text: Uint8Array, most: number): boolean {
  let values = 0;
  let isInText = false;
  for (let index = 0; index < text.length; index++) {
    const byte = text[index];
    if (isInText) {
      if (byte === BACKSLASH) index++;
      else if (byte === QUOTE) isInText = false;
    } else if (byte === QUOTE) isInText = true;
    else if ((byte === COMMA || byte === LIST || byte === OBJECT) && ++values > most) return true;
  }
  return false;
}

/** Whether JSON can have more members of objects than so many: colons are counted, also those in texts. */
export function mayHaveMoreMembers(text: string, most: number): boolean {
  let members = 0;
  for (let at = text.indexOf(':'); at >= 0; at = text.indexOf(':', at + 1)) if (++members > most) return true;
  return false;
}

/** Whether a value of JSON has more than so many values in it. */
export function holdsMoreValues(root: unknown, most: number): boolean {
  const open = [root];
  for (let seen = 1; open.length > 0; ) {
    const value = open.pop();
    if (typeof value !== 'object' || value === null) continue;
    const inner: unknown[] = Array.isArray(value) ? value : Object.values(value);
    seen += inner.length;
    if (seen > most) return true;
    for (const one of inner) open.push(one);
  }
  return false;
}
