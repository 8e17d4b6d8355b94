import { asBuffer } from '../engine/as-buffer.ts';
import type { Target } from '../target.ts';
import { callWith, SIGNATURE } from './token.ts';

const EXP = 4_000_000_000;

/** Claims of tokens, which are in base64 where they stand. */
export const target: Target = {
  name: 'claims',
  about: 'claims of tokens at the xDS port, of anybody',
  form: 'json',
  seeds: [
    { exp: EXP, aud: ['heddle'] },
    { exp: EXP, aud: 'heddle', sub: 'a' },
    { exp: 1, aud: [] },
  ].map((claims) => Buffer.from(JSON.stringify(claims))),
  *largest() {
    // As much as a token may have.
    yield Buffer.from(`{"exp":${EXP},"aud":[${'1,'.repeat(6000)}"heddle"]}`);
    yield Buffer.from('['.repeat(12_000));
  },
  run: (bytes) => callWith(`Bearer e30.${asBuffer(bytes).toString('base64url')}.${SIGNATURE}`),
};
