import { once } from 'node:events';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { encode, forgedToken, ISSUER, nowSeconds, usualClaims } from './support/test-tokens.ts';
import { type Outcome, startTokenBed, type TokenBed } from './support/token-bed.ts';
import { ec, ed, other, rsa, SERVICES, stranger, twin } from './support/token-services.ts';

/** Tokens of end users before the real Envoy with our configuration; the application says what reached it. */

let bed: TokenBed;
beforeAll(async () => {
  bed = await startTokenBed(SERVICES);
}, 60_000);
afterAll(() => bed?.stop());

const ask = (service: string, headers: Record<string, string | string[]> = {}, path = '/'): Promise<Outcome> =>
  bed.call(service, { headers, path });
const asBearer = (service: string, token: string, path = '/') =>
  ask(service, { authorization: `Bearer ${token}` }, path);

describe('a token', () => {
  test('is valid by any key of its issuer, also one of several with its kid', async () => {
    for (const issuer of [rsa, ec, ed, twin]) {
      const answer = await asBearer('plain', issuer.token());
      expect(answer).toMatchObject({ status: 200, got: { backend: 'app' } });
      expect(answer.got?.headers.authorization).toBeUndefined();
    }
  });

  test('is not needed', async () => {
    expect(await ask('plain')).toMatchObject({ status: 200 });
    expect(await ask('plain', { authorization: 'Basic YTpi' })).toMatchObject({ status: 200 });
  });

  test('without a kid is tried with all keys, and with one that nobody has with none', async () => {
    expect(await asBearer('plain', ec.token({}, { kid: undefined }))).toMatchObject({ status: 200 });
    expect(await asBearer('plain', ec.token({}, { kid: 'nobody' }))).toMatchObject({ status: 401, got: undefined });
  });

  const pem = rsa.publicKey.export({ type: 'spki', format: 'pem' }).toString();
  const der = rsa.publicKey.export({ type: 'spki', format: 'der' }).toString('latin1');
  const good = rsa.token();
  test.each([
    ['alg none', forgedToken('none', undefined)],
    ['alg None', forgedToken('None', undefined)],
    ['no alg', `${encode({ kid: 'a' })}.${encode(usualClaims())}.`],
    ['HS256 with the public key (PEM)', forgedToken('HS256', pem)],
    ['HS256 with the public key (DER)', forgedToken('HS256', der)],
    ['HS256 with the modulus', forgedToken('HS256', String(rsa.jwk.n))],
    ['HS256 with the whole JWK', forgedToken('HS256', JSON.stringify(rsa.jwk))],
    ['HS256 with an empty secret', forgedToken('HS256', '')],
    ['the key of somebody else', stranger.token()],
    ['another key than its kid says', ec.token({}, { kid: 'c' })],
    ['another alg than its key is for', rsa.token({}, { alg: 'PS256' })],
    ['its own key in its header', stranger.token({}, { jwk: stranger.jwk })],
    ['another issuer', rsa.token({ iss: 'https://evil.example' })],
    ['no issuer', rsa.token({ iss: undefined })],
    ['the issuer with a slash', rsa.token({ iss: `${ISSUER}/` })],
    ['an end that has come', rsa.token({ exp: nowSeconds() - 120 })],
    ['a beginning yet to come', rsa.token({ nbf: nowSeconds() + 3600 })],
    [
      'other claims than were signed',
      `${good.split('.')[0]}.${encode({ ...usualClaims(), sub: 'root' })}.${good.split('.')[2]}`,
    ],
    ['no signature', `${good.split('.').slice(0, 2).join('.')}.`],
    ['two parts', good.split('.').slice(0, 2).join('.')],
    ['garbage', '\u00e4\u00f6'],
    ['a second token behind it', `${good}, Bearer ${good}`],
  ])('with %s is refused', async (_, token) => {
    expect(await asBearer('plain', token)).toMatchObject({ status: 401, got: undefined });
  });

  test('for another audience is refused, by its own code (Istio)', async () => {
    expect(await asBearer('plain', rsa.token({ aud: ['other', 'admin'] }))).toMatchObject({ status: 200 });
    expect(await asBearer('plain', rsa.token({ aud: ['other'] }))).toMatchObject({ status: 403, got: undefined });
    expect(await asBearer('plain', rsa.token({ aud: undefined }))).toMatchObject({ status: 403, got: undefined });
  });

  test('within a minute of its end is valid, for clocks differ', async () => {
    expect(await asBearer('plain', rsa.token({ exp: nowSeconds() - 20 }))).toMatchObject({ status: 200 });
  });

  test('of 40 kB is valid, and one that is too long for headers is refused', async () => {
    expect(await asBearer('plain', rsa.token({ filler: 'x'.repeat(30_000) }))).toMatchObject({ status: 200 });
    expect((await asBearer('plain', rsa.token({ filler: 'x'.repeat(100_000) }))).status).toBe(431);
    expect((await ask('plain', {}, `/?access_token=${'x'.repeat(100_000)}`)).got).toBeUndefined();
  });

  test('does not come by with a path that is none', async () => {
    const socket = await bed.connect('plain');
    socket.write('OPTIONS * HTTP/1.1\r\nhost: a\r\nauthorization: Bearer x\r\nconnection: close\r\n\r\n');
    const [answer] = await once(socket, 'data');
    expect(String(answer)).toMatch(/^HTTP\/1.1 40[14]/);
    socket.destroy();
  });

  test('is looked at in preflights too', async () => {
    const headers = { origin: 'a', 'access-control-request-method': 'GET', authorization: 'Bearer x' };
    expect(await bed.call('plain', { method: 'OPTIONS', headers })).toMatchObject({ status: 401 });
  });
});

describe('two tokens', () => {
  const good = rsa.token();
  const bad = stranger.token();
  test.each([
    [`Bearer ${good}`, `Bearer ${bad}`],
    [`Bearer ${bad}`, `Bearer ${good}`],
  ])('in one header must both be valid', async (...authorization) => {
    expect(await ask('kept', { authorization })).toMatchObject({ status: 401, got: undefined });
  });

  test('in one place are too many', async () => {
    expect(await ask('kept', { authorization: [`Bearer ${good}`, `Bearer ${good}`] })).toMatchObject({ status: 401 });
    expect(await ask('places', { authorization: [`JWT ${good}`, `JWT ${good}`] })).toMatchObject({ status: 401 });
    expect(await ask('places', {}, `/?token=${good}&a=b&%74oken=${bad}`)).toMatchObject({
      status: 401,
      got: undefined,
    });
    expect(await ask('places', {}, `/?token&token=${good}`)).toMatchObject({ status: 401, got: undefined });
    for (const cookie of [`session=${good}; session=${bad}`, [`session=${good}`, `session=${bad}`]]) {
      expect(await bed.call('places', { headers: { cookie } })).toMatchObject({ status: 401, got: undefined });
    }
  });

  test.each([
    [good, bad],
    [bad, good],
  ])('in different places must both be valid', async (first, second) => {
    expect(await asBearer('kept', first, `/?access_token=${second}`)).toMatchObject({ status: 401, got: undefined });
    const headers = { 'x-token': first, cookie: `session=${second}` };
    expect(await ask('places', headers)).toMatchObject({ status: 401, got: undefined });
    expect(await ask('places', { cookie: `session=${first}` }, `/?token=${second}`)).toMatchObject({ status: 401 });
    expect(await ask('places', { 'x-token': first, authorization: `JWT ${second}` })).toMatchObject({ status: 401 });
  });

  test('of different rules must both be valid', async () => {
    const both = (token: string, second: string) =>
      ask('several', { authorization: `Bearer ${token}`, 'x-other': second });
    expect(await both(good, other.token())).toMatchObject({ status: 200 });
    expect(await both(good, bad)).toMatchObject({ status: 401 });
    expect(await both(bad, other.token())).toMatchObject({ status: 401 });
  });

  test('are the most there may be', async () => {
    const headers = { 'x-token': good, cookie: `session=${good}` };
    expect(await ask('places', headers)).toMatchObject({ status: 200 });
    expect(await ask('places', headers, `/?token=${good}`)).toMatchObject({ status: 401, got: undefined });
  });

  test('that are valid make one principal, that of the header', async () => {
    const headers = { authorization: `Bearer ${rsa.token({ sub: 'bob' })}` };
    expect(await ask('allowed', headers, `/?access_token=${rsa.token()}`)).toMatchObject({ status: 403 });
    const swapped = { authorization: `Bearer ${rsa.token()}` };
    expect(await ask('allowed', swapped, `/?access_token=${rsa.token({ sub: 'bob', scope: 'write' })}`)).toMatchObject({
      status: 200,
    });
  });
});

describe('without keys', () => {
  test('no token is valid, and none is needed', async () => {
    expect(await asBearer('keyless', rsa.token())).toMatchObject({ status: 401, got: undefined });
    expect(await asBearer('keyless', forgedToken('none', undefined))).toMatchObject({ status: 401 });
    expect(await asBearer('keyless', forgedToken('HS256', ''))).toMatchObject({ status: 401 });
    expect(await ask('keyless')).toMatchObject({ status: 200 });
  });
});

describe('a key that is a secret', () => {
  test('verifies tokens of HMAC, when the policy itself has it', async () => {
    expect(await asBearer('secret', forgedToken('HS256', JSON.stringify('x')))).toMatchObject({ status: 200 });
    expect(await asBearer('secret', forgedToken('HS256', 'y'))).toMatchObject({ status: 401 });
  });
});
