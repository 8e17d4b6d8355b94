import { type Document, isAlias, isMap, isSeq, parseDocument, visit, Document as YamlDocument } from 'yaml';
import { type PatchOperation, pointerKeys } from '../../webhook/inject/patch.ts';
import { CliError } from '../cli-error.ts';

/** One document of a YAML stream, with its text byte by byte. */
export interface YamlPart {
  readonly text: string;
  /** Undefined for a part that holds no document (comments before the first `---`). */
  readonly value: unknown;
}

/**
 * Cuts a YAML stream into its documents; the texts together are the stream. A line that begins with `---` begins a document wherever it is: no scalar may
 * have such a line.
 * @throws {CliError} with code 2 and file and line where it is no YAML
 */
export function splitStream(stream: string, file: string): YamlPart[] {
  const texts = stream.split(/^(?=---(?:[ \t\r\n]|$))/m).filter((text) => text !== '');
  let line = 0;
  return texts.map((text) => {
    const document = parsePart(text);
    const [problem] = document.errors;
    if (problem) {
      const at = line + (problem.linePos?.[0].line ?? 1);
      const [what = ''] = problem.message.split(' at line ');
      throw new CliError(`${file}:${at} is no YAML: ${what}`, undefined, 2);
    }
    line += text.split('\n').length - 1;
    return { text, value: document.toJS() as unknown };
  });
}

const parsePart = (text: string): Document => parseDocument(text, { merge: true, keepSourceTokens: false });

/**
 * The text of a document after patches, in its own style: comments stay, and so do quotes and the way lists are indented.
 * @param operations paths from the top of the document, applied one after the other
 * @param result what the document is after them
 */
export function editPart({ text }: YamlPart, operations: readonly PatchOperation[], result: unknown): string {
  const json = jsonIndent(text);
  if (json !== undefined) return `${JSON.stringify(result, undefined, json)}\n`;
  const document = parsePart(text);
  const options = { lineWidth: 0, ...styleOf(text) };
  if (hasAliases(document)) {
    // A change of what an alias stands for would be one of all places.
    const plain = new YamlDocument(result, { aliasDuplicateObjects: false });
    return (text.startsWith('---') ? '---\n' : '') + plain.toString(options);
  }
  for (const operation of operations) applyOperation(document, operation);
  return document.toString(options);
}

/** The indentation of a text that is JSON; undefined for YAML. */
function jsonIndent(text: string): number | undefined {
  if (!text.trimStart().startsWith('{')) return undefined;
  try {
    JSON.parse(text);
  } catch {
    return undefined;
  }
  return /^\{\r?\n( *)"/.exec(text.trimStart())?.[1]?.length ?? 0;
}

function styleOf(text: string): { readonly indent: number; readonly indentSeq: boolean } {
  const indent = /^[^\s#-][^\n]*:[ \t]*\r?\n( +)[^\s#-]/m.exec(text)?.[1]?.length ?? 2;
  const flat = /^( *)[^\s#-][^\n]*:[ \t]*\r?\n\1- /m.test(text);
  return { indent, indentSeq: !flat };
}

function hasAliases(document: Document): boolean {
  let found = false;
  visit(document, (_, node) => {
    if (!isAlias(node)) return undefined;
    found = true;
    return visit.BREAK;
  });
  return found;
}

function applyOperation(document: Document, operation: PatchOperation): void {
  const path = pointerKeys(operation.path);
  if (operation.op === 'remove') {
    document.deleteIn(path);
    return;
  }
  const node = document.createNode(operation.value, { aliasDuplicateObjects: false });
  const parent = path.length === 0 ? undefined : document.getIn(path.slice(0, -1), true);
  const key = path.at(-1);
  if (operation.op === 'add' && isSeq(parent)) parent.items.splice(Number(key), 0, node);
  else if (isMap(parent) || isSeq(parent)) parent.set(isSeq(parent) ? Number(key) : key, node);
  else document.setIn(path, node);
}
