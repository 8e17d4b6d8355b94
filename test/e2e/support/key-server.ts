import type { TestIssuer } from '../../feature/support/test-tokens.ts';
import { server } from './testbed-objects.ts';

const SERVE_KEYS = "require('node:http').createServer((_, answer) => answer.end(process.env.KEYS)).listen(8080)";

/** The server of an issuer's keys, on port 80 of a Service. It needs no sidecar: whoever asks for a token's keys is the operator. */
export function keyServer(name: string, { jwk }: TestIssuer): object[] {
  const container = { command: ['node', '-e', SERVE_KEYS], livenessProbe: undefined };
  return server(name, { env: { KEYS: JSON.stringify({ keys: [jwk] }) }, container });
}
