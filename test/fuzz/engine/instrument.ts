import { readFileSync } from 'node:fs';
import { registerHooks, stripTypeScriptTypes } from 'node:module';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { type NodePath, type PluginObj, types as t, transformSync } from '@babel/core';

const ROOT = join(import.meta.dirname, '../../..');
/** What is watched: our own code, and what reads Protocol Buffers for it. */
const WATCHED = [
  ...['api', 'kube', 'operator', 'proxy', 'webhook'].map((room) => join(ROOT, room, '/')),
  '/protobuf/dist/esm/',
];

/** Most branches that are told apart. */
const MAX_BRANCHES = 1 << 16;
const COUNTERS = '__branches';

/** What runs of the code that was loaded since `instrument`. */
export interface Coverage {
  /** How often each branch was taken, modulo 256; whoever reads them sets them to 0. */
  readonly counters: Uint8Array<ArrayBuffer>;
  /** Branches there are. */
  readonly branches: () => number;
  /** Short texts that stand in the code: what it looks for. */
  readonly words: ReadonlySet<string>;
}

/** Counts from now on which branches are taken, in all modules that are loaded after this. To be called once. */
export function instrument(): Coverage {
  const counters = new Uint8Array(MAX_BRANCHES);
  Object.assign(globalThis, { [COUNTERS]: counters });
  const words = new Set<string>();
  let branches = 0;
  const plugin = branchCounter(() => branches++ % MAX_BRANCHES, words);
  registerHooks({
    load(url, context, nextLoad) {
      const path = url.startsWith('file:') ? fileURLToPath(url) : '';
      if (!WATCHED.some((part) => path.includes(part)) || !/\.[jt]s$/.test(path)) return nextLoad(url, context);
      const text = readFileSync(path, 'utf8');
      const code = path.endsWith('.ts') ? stripTypeScriptTypes(text) : text;
      const options = { babelrc: false, configFile: false, compact: false, plugins: [plugin] };
      const source = transformSync(code, { ...options, filename: path, sourceType: 'module' })?.code ?? code;
      return { format: 'module', source, shortCircuit: true };
    },
  });
  return { counters, branches: () => branches, words };
}

/** A plugin of Babel's that counts at the beginning of every branch of the code. */
function branchCounter(next: () => number, words: Set<string>): PluginObj {
  const count = (): t.Expression => {
    const counter = t.memberExpression(t.identifier(COUNTERS), t.numericLiteral(next()), true);
    return t.updateExpression('++', counter);
  };
  const before = (branch: t.Expression): t.Expression => t.sequenceExpression([count(), branch]);
  const begin = (body: t.Statement): t.BlockStatement =>
    t.blockStatement([t.expressionStatement(count()), ...(t.isBlockStatement(body) ? body.body : [body])]);
  return {
    visitor: {
      Function: (path: NodePath<t.Function>) => {
        const { body } = path.node;
        if (t.isBlockStatement(body)) body.body.unshift(t.expressionStatement(count()));
        else path.node.body = before(body);
      },
      IfStatement: ({ node }: NodePath<t.IfStatement>) => {
        node.consequent = begin(node.consequent);
        node.alternate = begin(node.alternate ?? t.emptyStatement());
      },
      Loop: ({ node }: NodePath<t.Loop>) => {
        node.body = begin(node.body);
      },
      SwitchCase: ({ node }: NodePath<t.SwitchCase>) => {
        node.consequent.unshift(t.expressionStatement(count()));
      },
      CatchClause: ({ node }: NodePath<t.CatchClause>) => {
        node.body = begin(node.body);
      },
      ConditionalExpression: ({ node }: NodePath<t.ConditionalExpression>) => {
        node.consequent = before(node.consequent);
        node.alternate = before(node.alternate);
      },
      LogicalExpression: ({ node }: NodePath<t.LogicalExpression>) => {
        node.right = before(node.right);
      },
      StringLiteral: (path: NodePath<t.StringLiteral>) => {
        const { value } = path.node;
        if (path.parentPath.isImportDeclaration()) return;
        if (value.length > 0 && value.length <= 64) words.add(value);
      },
    },
  };
}
