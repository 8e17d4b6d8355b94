import { parseArgs } from 'node:util';
import { type CallResult, callHttp, callTcp, callWebSocket, errorCode } from './calls.ts';
import { callGrpc, callHttp2 } from './http2-calls.ts';
import { type LoadEnds, runLoad } from './load.ts';
import { serveMiddleman } from './middleman.ts';
import { runPlan, runSpec } from './request-plan.ts';
import { serveAll } from './server.ts';
import { USAGE } from './usage.ts';

const { positionals, values } = parseArgs({
  allowPositionals: true,
  options: {
    method: { type: 'string', default: 'GET' },
    header: { type: 'string', multiple: true, default: [] },
    body: { type: 'string' },
    count: { type: 'string', default: '3' },
    rate: { type: 'string', default: '50' },
    seconds: { type: 'string', default: '10' },
    methods: { type: 'string', default: 'GET,POST' },
    'body-bytes': { type: 'string', default: '1024' },
    'no-keep-alive': { type: 'boolean', default: false },
    'until-input-ends': { type: 'boolean', default: false },
    timeout: { type: 'string', default: '10' },
    concurrent: { type: 'boolean', default: false },
  },
});
const [mode = '', target = '', kind = 'unary'] = positionals;
const timeoutMs = Number(values.timeout) * 1000;

function call(): Promise<CallResult> | undefined {
  const headers = Object.fromEntries(values.header.map((header) => header.split(/=(.*)/s, 2)));
  const http = { method: values.method, headers, body: values.body, timeoutMs };
  const messages = Array.from({ length: kind === 'stream' ? Number(values.count) : 1 }, (_, i) => `message ${i + 1}`);
  const [host = '', port] = target.split(/:(?=[0-9]+$)/);
  switch (mode) {
    case 'http':
      return callHttp(target, http);
    case 'http2':
      return callHttp2(target, http);
    case 'grpc':
      if (kind === 'health') return callGrpc(target, '/grpc.health.v1.Health/Check', [''], timeoutMs);
      return callGrpc(target, kind === 'stream' ? '/testbed.Echo/Stream' : '/testbed.Echo/Unary', messages, timeoutMs);
    case 'websocket':
      return callWebSocket(target, values.body ?? 'hello', timeoutMs);
    case 'tcp':
      return callTcp(host, Number(port), values.body, timeoutMs);
    default:
      return undefined;
  }
}

function loadPlan() {
  return {
    url: target,
    rate: Number(values.rate),
    seconds: values['until-input-ends'] ? Number.POSITIVE_INFINITY : Number(values.seconds),
    methods: values.methods.split(','),
    bodyBytes: Number(values['body-bytes']),
    keepAlive: !values['no-keep-alive'],
    timeoutMs,
  };
}

/** A load that lasts until standard input ends says on standard error that it has begun. */
function loadEnds(): LoadEnds {
  if (!values['until-input-ends']) return {};
  const ended = new Promise((resolve) => process.stdin.resume().once('end', resolve).once('error', resolve));
  return { ended, onFirst: () => process.stderr.write('begun\n') };
}

/** Waits until the reader has all of it: a pipe holds little, and what it does not hold yet is lost when the process ends. */
const print = (value: unknown): Promise<void> =>
  new Promise((resolve) => process.stdout.write(`${JSON.stringify(value)}\n`, () => resolve()));

if (mode === 'server') {
  serveAll();
} else if (mode === 'sleep') {
  setInterval(() => {}, 1_000_000);
  process.once('SIGTERM', () => process.exit(0));
} else if (mode === 'middleman') {
  await serveMiddleman(JSON.parse(target), (meeting) => void print(meeting));
  process.once('SIGTERM', () => process.exit(0));
} else if (mode === 'load') {
  await print(await runLoad(loadPlan(), loadEnds()));
} else if (mode === 'many') {
  await print(await runSpec(JSON.parse(target)));
  process.exit(0);
} else if (mode === 'plan') {
  await print(await runPlan(JSON.parse(target), values.concurrent));
  process.exit(0);
} else {
  const result = call();
  if (result === undefined) {
    process.stderr.write(USAGE);
    process.exit(64);
  }
  await print(await result.catch((error: unknown): CallResult => ({ error: errorCode(error) })));
  process.exit(0);
}
