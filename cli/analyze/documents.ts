import { type Document, isMap, isNode, LineCounter, parseAllDocuments } from 'yaml';
import type { Finding, Place } from './message.ts';

/** An object of any kind, as far as everybody reads it. */
export interface AnyObject {
  readonly apiVersion?: string;
  readonly kind?: string;
  readonly metadata?: {
    readonly name?: string;
    readonly namespace?: string;
    readonly labels?: Readonly<Record<string, string>>;
    readonly annotations?: Readonly<Record<string, string>>;
    readonly uid?: string;
  };
  readonly spec?: unknown;
}

/** An object of a file. */
export interface FileObject {
  readonly object: AnyObject;
  /** Where a field of it stands: the deepest step of the path that is written. */
  place(field: string | undefined): Place;
}

/** What a file holds, and what in it can't be read. */
export interface ReadFile {
  readonly objects: readonly FileObject[];
  readonly findings: readonly Finding[];
}

/** Reads all objects of a YAML or JSON text; Lists are taken apart. */
export function readDocuments(file: string, text: string): ReadFile {
  const lines = new LineCounter();
  const objects: FileObject[] = [];
  const findings: Finding[] = [];
  const lineAt = (offset: number): number => lines.linePos(offset).line;
  for (const document of parseAllDocuments(text, { lineCounter: lines })) {
    if (!('contents' in document)) continue;
    for (const { message, pos } of document.errors) {
      const [first = ''] = message.split('\n', 1);
      findings.push(unreadable(file, lineAt(pos[0]), first.replace(/:$/, '')));
    }
    if (document.errors.length > 0 || document.contents === null) continue;
    const start = document.contents.range?.[0] ?? 0;
    if (!isMap(document.contents)) {
      findings.push(unreadable(file, lineAt(start), 'it holds no object: no mapping with apiVersion and kind'));
      continue;
    }
    // Numbers of keys are names in Kubernetes' JSON.
    const value = document.toJS({ maxAliasCount: 1000 }) as AnyObject & { items?: readonly AnyObject[] };
    if (typeof value.kind !== 'string' || typeof value.apiVersion !== 'string') {
      findings.push(unreadable(file, lineAt(start), 'it holds no object: apiVersion or kind is missing'));
    } else if (value.kind.endsWith('List') && Array.isArray(value.items)) {
      objects.push(...value.items.map((object, index) => fileObject(file, document, lineAt, object, ['items', index])));
    } else objects.push(fileObject(file, document, lineAt, value, []));
  }
  return { objects, findings };
}

function unreadable(file: string, line: number, message: string): Finding {
  return { code: 'HED0005', object: { kind: 'File', namespace: '', name: file }, message, at: { file, line } };
}

function fileObject(
  file: string,
  document: Document.Parsed,
  lineAt: (offset: number) => number,
  object: AnyObject,
  base: readonly (string | number)[],
): FileObject {
  const place = (field: string | undefined): Place => {
    const steps = [...base, ...stepsOf(field ?? '')];
    for (let length = steps.length; length >= 0; length--) {
      const offset = offsetOf(document, steps.slice(0, length));
      if (offset !== undefined) return { file, line: lineAt(offset) };
    }
    return { file, line: lineAt(document.contents?.range?.[0] ?? 0) };
  };
  return { object, place };
}

/** Where a key begins, or an element of a list. */
function offsetOf(document: Document.Parsed, steps: readonly (string | number)[]): number | undefined {
  const last = steps.at(-1);
  if (last === undefined) return undefined;
  const parent = steps.length === 1 ? document.contents : document.getIn(steps.slice(0, -1), true);
  if (isMap(parent)) {
    const pair = parent.items.find(({ key }) => String(isNode(key) ? key.toJSON() : key) === String(last));
    return isNode(pair?.key) ? pair.key.range?.[0] : undefined;
  }
  const node = document.getIn(steps, true);
  return isNode(node) ? node.range?.[0] : undefined;
}

/** `spec.http[0].headers[x-a]` as its steps. */
export function stepsOf(field: string): (string | number)[] {
  return [...field.matchAll(/\[([^\]]+)\]|([^.[\]]+)/g)].map(([, inner, name = '']) => {
    if (inner === undefined) return name;
    return /^[0-9]+$/.test(inner) ? Number(inner) : inner;
  });
}
