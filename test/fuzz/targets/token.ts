import { Metadata } from '@grpc/grpc-js';
import { admit } from '../../../operator/ads/admission.ts';
import { RefusalError } from '../../../operator/ads/refusal.ts';
import { TOKEN_SETTINGS, TokenAuthenticator } from '../../../operator/ads/token-authenticator.ts';
import { makeToken } from '../../feature/support/ads-harness.ts';
import { asBuffer } from '../engine/as-buffer.ts';
import type { Target } from '../target.ts';
import { repeated } from './repeated.ts';

/** Any header is a few kB at most: HTTP/2 refuses longer ones. */
const HEADER_BYTES = 65_536;
/** Of the tokens that tests make. */
export const SIGNATURE = Buffer.from('"signature"').toString('base64url');
const pod = { uid: 'uid-a', name: 'a', namespace: 'shop', serviceAccount: 'default', ips: ['10.0.0.1'] };

const authenticator = new TokenAuthenticator(
  {
    // What has this signature is good: else nothing behind the review would be tried.
    reviewToken: async (token) =>
      token.endsWith(SIGNATURE)
        ? {
            authenticated: true,
            username: 'system:serviceaccount:shop:default',
            podName: pod.name,
            podUid: pod.uid,
          }
        : { authenticated: false },
    podByUid: (uid) => (uid === pod.uid ? pod : undefined),
  },
  { ...TOKEN_SETTINGS, maxEntries: 1000 },
);

/** Calls with a header. @throws {unknown} what is no refusal */
export async function callWith(authorization: string): Promise<void> {
  // gRPC takes no other characters.
  const metadata = Metadata.fromHttp2Headers({ authorization: authorization.replace(/[^ -~]/g, '').trim() });
  try {
    await admit({ metadata, getPeer: () => '10.0.0.1:4711' }, authenticator);
  } catch (error) {
    if (!(error instanceof RefusalError)) throw error;
  }
}

/** Authorization headers of calls to the xDS port, of anybody who reaches it. */
export const target: Target = {
  name: 'token',
  about: 'authorization headers at the xDS port, of anybody',
  form: 'text',
  seeds: [
    ...['heddle', 'kubernetes'].map((audience) => makeToken('uid-a', 3_600_000, audience)),
    makeToken('uid-a', -1000),
    'garbage',
  ].map((token) => Buffer.from(`Bearer ${token}`)),
  *largest() {
    yield repeated('Bearer ', HEADER_BYTES);
    yield Buffer.from(`Bearer${' '.repeat(HEADER_BYTES)}x y`);
    yield Buffer.from(`Bearer a${' '.repeat(HEADER_BYTES)}b`);
    yield Buffer.from(`Bearer ${'.'.repeat(HEADER_BYTES)}`);
  },
  run: (bytes) => callWith(asBuffer(bytes).toString('latin1')),
};
