/**
 * Whether two values are the same once written as JSON: what is undefined is not there (in a list it is null), and the order of keys says nothing. Parts
 * that both share are not looked into, so a status that a step left alone costs next to nothing.
 */
export function isSameOnWire(one: unknown, other: unknown): boolean {
  if (Object.is(one, other)) return true;
  if (typeof one !== 'object' || typeof other !== 'object' || one === null || other === null) return false;
  if (Array.isArray(one) || Array.isArray(other)) {
    if (!Array.isArray(one) || !Array.isArray(other) || one.length !== other.length) return false;
    return one.every((item, index) => isSameOnWire(item ?? null, other[index] ?? null));
  }
  const [left, right] = [fieldsOf(one), fieldsOf(other)];
  return left.length === right.length && left.every(([key, value]) => isSameOnWire(value, Reflect.get(other, key)));
}

function fieldsOf(object: object): [string, unknown][] {
  return Object.entries(object).filter(([, value]) => value !== undefined);
}
