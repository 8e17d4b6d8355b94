import type { Selection, SeriesSelection, WindowSelection } from './view-source.ts';

/** A request that can't be answered, and why. */
export class RequestError extends Error {
  readonly code: number;

  /** @param code HTTP status @param message a sentence for who asked */
  constructor(code: number, message: string) {
    super(message);
    this.code = code;
  }
}

type Query = Readonly<Record<string, unknown>>;

const MAX_TEXT = 600;
const MAX_SECONDS = 86_400;
const MAX_POINTS = 720;
const NAMESPACE = /^[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?$/;

/** Reads `namespace`. @throws {RequestError} 400 */
export function readSelection(query: Query): Selection {
  const namespace = text(query, 'namespace');
  if (namespace !== undefined && !NAMESPACE.test(namespace)) {
    throw new RequestError(400, 'namespace must be the name of a namespace');
  }
  return { namespace };
}

/** Reads `seconds` and `namespace`. @param standard seconds when none are named @throws {RequestError} 400 */
export function readWindow(query: Query, standard: number): WindowSelection {
  return { ...readSelection(query), seconds: number(query, 'seconds', standard, MAX_SECONDS) };
}

/** Reads `node` or `edge`, `seconds` and `points`. @throws {RequestError} 400 */
export function readSeries(query: Query): SeriesSelection {
  const [node, edge] = [text(query, 'node'), text(query, 'edge')];
  if ((node === undefined) === (edge === undefined)) {
    throw new RequestError(
      400,
      'name one node or one edge, such as node=shop/ordering, edge=shop/ui>shop/ordering or node=*',
    );
  }
  return {
    of: node === undefined ? 'edge' : 'node',
    id: node ?? edge ?? '',
    seconds: number(query, 'seconds', 3600, MAX_SECONDS),
    points: number(query, 'points', 60, MAX_POINTS),
  };
}

function text(query: Query, name: string): string | undefined {
  const value = query[name];
  if (value === undefined || value === '') return undefined;
  if (typeof value !== 'string') throw new RequestError(400, `${name} may be there once`);
  if (value.length > MAX_TEXT) throw new RequestError(400, `${name} is too long`);
  return value;
}

function number(query: Query, name: string, standard: number, most: number): number {
  const value = text(query, name);
  if (value === undefined) return standard;
  const read = /^[0-9]{1,6}$/.test(value) ? Number(value) : Number.NaN;
  if (!(read >= 1 && read <= most)) throw new RequestError(400, `${name} must be a whole number from 1 to ${most}`);
  return read;
}
