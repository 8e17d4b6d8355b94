import { parse } from 'node:querystring';
import { checkRequest } from '../../../operator/dashboard/guards.ts';
import { RequestError, readSelection, readSeries, readWindow } from '../../../operator/dashboard/query.ts';
import { asBuffer } from '../engine/as-buffer.ts';
import type { Target } from '../target.ts';
import { repeated } from './repeated.ts';

/** Most bytes of a request's head (operator/dashboard/server.ts). */
const HEAD_BYTES = 16_384;

/** A question, with the Host that it is asked of before. */
const question = (host: string, query: string): Buffer => Buffer.from(`${host}\n${query}`);

/** Questions of the page, or of whoever reaches its port. */
export const target: Target = {
  name: 'dashboard',
  about: 'questions at the port of the page, of who reaches it',
  form: 'text',
  seeds: [
    question('localhost:15100', 'seconds=60&namespace=shop'),
    question('127.0.0.1', 'node=shop%2Fordering&seconds=3600&points=60'),
    question('[::1]:80', 'edge=shop/ui%3Eshop/ordering&edge=%zz'),
    question('example.org', ''),
  ],
  *largest() {
    for (const piece of ['a=b&', '%', '%zz', '&', '=', 'namespace=a&', 'a-', '9', '\u00ff'])
      yield question('localhost', `namespace=${repeated(piece, HEAD_BYTES)}`);
    for (const piece of ['localhost:', '[::1', '1'] as const)
      yield question(repeated(piece, HEAD_BYTES).toString(), '');
  },
  run(bytes) {
    const [host = '', query = ''] = asBuffer(bytes).toString('latin1').split('\n', 2);
    // As express's simple parser reads it.
    const parsed = parse(query);
    const read = [
      () => checkRequest({ method: 'GET', headers: { host } }),
      () => readSelection(parsed),
      () => readWindow(parsed, 60),
      () => readSeries(parsed),
    ];
    for (const one of read) {
      try {
        one();
      } catch (error) {
        if (!(error instanceof RequestError)) throw error;
      }
    }
  },
};
