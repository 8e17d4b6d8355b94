const FACTORS: Readonly<Record<string, number>> = {
  n: 1e-9,
  u: 1e-6,
  m: 1e-3,
  '': 1,
  k: 1e3,
  M: 1e6,
  G: 1e9,
  T: 1e12,
  P: 1e15,
  E: 1e18,
  Ki: 2 ** 10,
  Mi: 2 ** 20,
  Gi: 2 ** 30,
  Ti: 2 ** 40,
  Pi: 2 ** 50,
  Ei: 2 ** 60,
};

/** Digits, then a unit or an exponent; `3E` is a unit, `3E2` an exponent. */
const QUANTITY = /^\+?([0-9]+(?:\.[0-9]*)?|\.[0-9]+)(?:[eE]([+-]?[0-9]{1,2})|([numkMGTPE]|[KMGTPE]i)?)$/;

/** Longer ones are none: the API server writes canonical ones of at most 18 digits. */
const MAX_LENGTH = 64;

/** Reads a Kubernetes quantity (`250m`, `1.5Gi`, `12345678n`, `1e3`). @returns its value; undefined for what is none, or is negative */
export function readQuantity(text: unknown): number | undefined {
  const written = typeof text === 'number' ? String(text) : text;
  if (typeof written !== 'string' || written.length > MAX_LENGTH) return undefined;
  const [, digits, exponent, unit = ''] = QUANTITY.exec(written) ?? [];
  if (digits === undefined) return undefined;
  return Number(digits) * (exponent === undefined ? (FACTORS[unit] ?? Number.NaN) : 10 ** Number(exponent));
}
