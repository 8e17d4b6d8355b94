import type { IncomingMessage } from 'node:http';
import { RequestError } from './query.ts';

/** Names by which a forwarded port is called. Any other is a name that somebody has led to this address, so that a browser takes his page for ours. */
const OWN_HOST = /^(localhost|127\.0\.0\.1|\[::1\])(:[0-9]{1,5})?$/i;

/** Headers of every answer: nothing comes from elsewhere, nobody frames it, and nothing is taken for what it is not. */
export const SAFE_HEADERS: Readonly<Record<string, string>> = {
  'content-security-policy': [
    "default-src 'none'",
    ...['script', 'style', 'img', 'font', 'connect', 'manifest'].map((what) => `${what}-src 'self'`),
    "base-uri 'none'",
    "form-action 'none'",
    "frame-ancestors 'none'",
    "require-trusted-types-for 'script'",
  ].join('; '),
  'x-content-type-options': 'nosniff',
  'x-frame-options': 'DENY',
  'referrer-policy': 'no-referrer',
  'cross-origin-resource-policy': 'same-origin',
  'cross-origin-opener-policy': 'same-origin',
  'permissions-policy': 'camera=(), microphone=(), geolocation=()',
};

/** Refuses what no visitor of ours sends. @throws {RequestError} 403, 405 or 413 */
export function checkRequest({ method, headers }: Pick<IncomingMessage, 'method' | 'headers'>): void {
  if (!OWN_HOST.test(headers.host ?? '')) {
    throw new RequestError(403, 'ask for localhost, 127.0.0.1 or [::1], as a forwarded port is reached');
  }
  // A page of somebody else may link here, and ask for nothing.
  if (headers['sec-fetch-site'] === 'cross-site' && headers['sec-fetch-mode'] !== 'navigate') {
    throw new RequestError(403, 'pages of other origins are not answered');
  }
  if (method !== 'GET') throw new RequestError(405, 'this is read-only: only GET is answered');
  if (headers['transfer-encoding'] !== undefined || Number(headers['content-length'] ?? '0') > 0) {
    throw new RequestError(413, 'a request here has no body');
  }
}
