import fc from 'fast-check';

/** A value, or undefined once in `freq` times. */
export function maybe<Value>(values: fc.Arbitrary<Value>, freq = 3): fc.Arbitrary<Value | undefined> {
  return fc.option(values, { nil: undefined, freq });
}

/** With what is not there left out, as YAML has it and exact optional properties want it. */
export function given<Value extends object>(value: Value): { [Key in keyof Value]: Exclude<Value[Key], undefined> } {
  return Object.fromEntries(Object.entries(value).filter(([, part]) => part !== undefined)) as {
    [Key in keyof Value]: Exclude<Value[Key], undefined>;
  };
}
