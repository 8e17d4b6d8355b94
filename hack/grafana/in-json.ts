/** A type of Grafana's as it stands in a file: in place of a member of an enum of texts its text, and lists may be readonly. */
export type InJson<T> = unknown extends T
  ? T
  : T extends string
    ? `${T}`
    : T extends readonly (infer Each)[]
      ? readonly InJson<Each>[]
      : T extends object
        ? { readonly [Key in keyof T]: InJson<T[Key]> }
        : T;
