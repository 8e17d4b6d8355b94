/** Statuses that Envoy's own answers may have (`envoy.type.v3.StatusCode`). */
const STATUSES: ReadonlySet<number> = new Set(
  [
    [100, 200, 201, 202, 203, 204, 205, 206, 207, 208, 226, 300, 301, 302, 303, 304, 305, 307, 308],
    [400, 401, 402, 403, 404, 405, 406, 407, 408, 409, 410, 411, 412, 413, 414, 415, 416, 417, 421, 422, 423, 424],
    [426, 428, 429, 431, 500, 501, 502, 503, 504, 505, 506, 507, 508, 510, 511],
  ].flat(),
);

/** Whether Envoy can answer with a status. */
export function isStatus(code: number): boolean {
  return STATUSES.has(code);
}

/** Whether it is one of an error. */
export function isErrorStatus(code: number): boolean {
  return code >= 400 && isStatus(code);
}
