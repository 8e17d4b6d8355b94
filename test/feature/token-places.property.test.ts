import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { ISSUER, testIssuer } from './support/test-tokens.ts';
import { startTokenBed, type TokenBed } from './support/token-bed.ts';

/** By hand: `TOKEN_PLACES=100000`. */
const RUNS = Number(process.env.TOKEN_PLACES ?? '400');
const issuer = testIssuer('ES256', 'a');
const jwks = JSON.stringify({ keys: [issuer.jwk] });

let bed: TokenBed;
beforeAll(async () => {
  const rule = { issuer: ISSUER, jwks, forwardOriginalToken: true };
  bed = await startTokenBed({
    param: { jwtRules: [{ ...rule, fromParams: ['to.k'] }] },
    cookie: { jwtRules: [{ ...rule, fromCookies: ['to.k'] }] },
    header: { jwtRules: [{ ...rule, fromHeaders: [{ name: 'x-token', prefix: 'To.k ' }] }] },
  });
}, 60_000);
afterAll(() => bed?.stop());

const text = (...parts: string[]) => fc.array(fc.constantFrom(...parts), { maxLength: 8 }).map((all) => all.join(''));
const statusOf = async (service: string, options: { path?: string; headers?: Record<string, string> }) =>
  (await bed.call(service, { path: '/', ...options })).status;
/** What is anywhere is no token, so there is an answer 401 just where there is something. */
const expected = (isThere: boolean) => (isThere ? 401 : 200);

describe('what is where a token may be is looked at, however it is written, and nothing else is', () => {
  test('in the query', async () => {
    const query = text(
      'to.k',
      '%74o.k',
      't%6F%2e%6b',
      'to%2Ek',
      'TO.K',
      'toxk',
      '&',
      '&',
      '=',
      '=',
      '?',
      '%',
      '%7',
      ';',
      '+',
      'x',
      '/',
    );
    const run = fc.asyncProperty(query, async (tail) => {
      const names = tail.split('&').map((pair) => decode(pair.split('=')[0] ?? ''));
      expect(await statusOf('param', { path: `/a?${tail}` })).toBe(expected(names.includes('to.k')));
    });
    await fc.assert(run, { numRuns: RUNS });
  }, 600_000);

  test('in cookies', async () => {
    const cookies = text('to.k', 'to.k', 'toxk', 'To.k', '=', '=', ';', '; ', ';  ', ' ', '"', 'x');
    const run = fc.asyncProperty(cookies, async (cookie) => {
      const names = cookie
        .trim()
        .split(';')
        .flatMap((pair) => (pair.includes('=') ? [pair.replace(/^ +/, '').split('=')[0]] : []));
      expect(await statusOf('cookie', { headers: { cookie } })).toBe(expected(names.includes('to.k')));
    });
    await fc.assert(run, { numRuns: RUNS });
  }, 600_000);

  test('in a header', async () => {
    const value = text('To.k', 'To.k ', 'to.k ', 'Toxk ', ' ', ',', 'x', '=');
    const run = fc.asyncProperty(value, async (token) => {
      expect(await statusOf('header', { headers: { 'x-token': token } })).toBe(
        expected(token.trim().includes('To.k ')),
      );
    });
    await fc.assert(run, { numRuns: RUNS });
  }, 600_000);
});

/** What is no escape stays as it is. */
function decode(name: string): string {
  return name.replace(/%([0-9a-fA-F]{2})/g, (_, hex: string) => String.fromCharCode(Number.parseInt(hex, 16)));
}
