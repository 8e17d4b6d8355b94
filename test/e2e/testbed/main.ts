import { parseArgs } from 'node:util';
import { type CallResult, callGrpc, callHttp, callHttp2, callTcp, callWebSocket, errorCode } from './calls.ts';
import { drainOnTerm } from './drain.ts';
import { serveHttp } from './http-server.ts';
import { serveHttp2 } from './http2-server.ts';
import { runLoad } from './load.ts';
import { serveTcp } from './tcp-server.ts';

const USAGE = `testbed server                       serve HTTP/1.1 8080, HTTP/2 and gRPC 8081, TCP 9000, TCP server-first 9001
testbed http|http2 URL               one request; --method --header NAME=VALUE… --body
testbed grpc URL unary|stream|health one call; --count messages
testbed websocket URL                one message there and back
testbed tcp HOST:PORT                first bytes that come back; --body is sent, without it the server must speak first
testbed load URL                     --rate --seconds --methods GET,POST --body-bytes --no-keep-alive
testbed sleep                        do nothing until told to end
`;

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
    timeout: { type: 'string', default: '10' },
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
    seconds: Number(values.seconds),
    methods: values.methods.split(','),
    bodyBytes: Number(values['body-bytes']),
    keepAlive: !values['no-keep-alive'],
    timeoutMs,
  };
}

const print = (value: unknown): boolean => process.stdout.write(`${JSON.stringify(value)}\n`);

if (mode === 'server') {
  const http = serveHttp(8080);
  const closeHttp2 = serveHttp2(8081);
  serveTcp(9000, false);
  serveTcp(9001, true);
  drainOnTerm(() => {
    http.close();
    http.closeIdleConnections();
    closeHttp2();
  });
  process.stdout.write('serving on 8080, 8081, 9000 and 9001\n');
} else if (mode === 'sleep') {
  setInterval(() => {}, 1_000_000);
  process.once('SIGTERM', () => process.exit(0));
} else if (mode === 'load') {
  print(await runLoad(loadPlan()));
} else {
  const result = call();
  if (result === undefined) {
    process.stderr.write(USAGE);
    process.exit(64);
  }
  print(await result.catch((error: unknown): CallResult => ({ error: errorCode(error) })));
  process.exit(0);
}
