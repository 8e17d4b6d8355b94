import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { type Outcome, startTokenBed, type TokenBed } from './support/token-bed.ts';
import { ec, ed, LONG, other, rsa, SERVICES, stranger } from './support/token-services.ts';

/** Where tokens may be, rules beside each other, and what becomes of claims, in the real Envoy; tokens themselves are in request-authentication.test.ts. */

let bed: TokenBed;
beforeAll(async () => {
  bed = await startTokenBed(SERVICES);
}, 60_000);
afterAll(() => bed?.stop());

const ask = (service: string, headers: Record<string, string | string[]> = {}, path = '/'): Promise<Outcome> =>
  bed.call(service, { headers, path });
const asBearer = (service: string, token: string, path = '/') =>
  ask(service, { authorization: `Bearer ${token}` }, path);

describe('places of tokens', () => {
  const token = rsa.token({ realm: { group: 'ops' }, level: 3 });
  const seen = { 'x-group': 'ops', 'x-level': '3', 'x-claims': token.split('.')[1] };

  test.each([
    ['a header', { 'x-token': token }, '/'],
    ['a header after its prefix', { authorization: `JWT ${token}` }, '/'],
    ['a parameter', {}, `/?a=b&token=${token}`],
    ['a parameter by another spelling', {}, `/?%74oke%6E=${token}`],
    ['a cookie', { cookie: `a=b; session=${token}` }, '/'],
    ['a cookie of several headers', { cookie: ['a=b', `session=${token}`] }, '/'],
  ])('are %s; claims go into headers', async (_, headers, path) => {
    const forged = { 'x-group': 'root', 'X-Level': '9', 'x-claims': 'forged' };
    const answer = await ask('places', { ...forged, ...headers }, path);
    expect(answer).toMatchObject({ status: 200, got: { headers: seen } });
    for (const [name, value] of Object.entries(headers)) {
      if (typeof value === 'string') expect(answer.got?.headers[name]).toBe(value);
    }
  });

  test.each([
    [{ 'x-token': 'bad' }, '/'],
    [{ 'x-token': '' }, '/'],
    [{}, '/?token=bad'],
    [{}, '/?token'],
    [{}, '/?%74oke%6e=bad'],
    [{}, '/?a&to%6Ben=bad'],
    [{ cookie: 'session=bad' }, '/'],
    [{ cookie: 'a=b;session=bad' }, '/'],
    [{ cookie: ['a=b', 'session=bad'] }, '/'],
  ])('are looked at, however they are written: %j %s', async (headers, path) => {
    expect(await ask('places', headers, path)).toMatchObject({ status: 401, got: undefined });
  });

  test.each([
    [{ authorization: 'Bearer bad' }, '/'],
    [{}, '/?tokens=bad&atoken=bad&x=token=bad'],
    [{}, '/token=bad'],
    [{ cookie: 'asession=bad; sessions=bad; a=session=bad' }, '/'],
  ])('are no others: %j %s', async (headers, path) => {
    expect(await ask('places', headers, path)).toMatchObject({ status: 200 });
  });

  test('without a token, headers for claims are empty, also in preflights', async () => {
    const forged = { 'x-group': 'root', 'x-level': '9', 'x-claims': 'forged', origin: 'a' };
    const preflight = { method: 'OPTIONS', headers: { ...forged, 'access-control-request-method': 'GET' } };
    for (const answer of [await ask('places', forged), await bed.call('places', preflight)]) {
      expect(answer.status).toBe(200);
      for (const name of Object.keys(seen)) expect(answer.got?.headers[name]).toBeUndefined();
    }
  });

  test('have names of any length that is taken', async () => {
    expect(await ask('long', {}, `/?${LONG}=${token}`)).toMatchObject({ status: 200, got: { url: '/' } });
    expect(await ask('long', {}, `/?%78${LONG.slice(1)}=bad`)).toMatchObject({ status: 401 });
    expect(await ask('long', { x: `${LONG}bad` })).toMatchObject({ status: 401 });
    expect(await ask('long', { cookie: `${LONG}=bad` })).toMatchObject({ status: 401 });
  });

  test('that are the default are emptied of a valid token', async () => {
    const answer = await ask('plain', {}, `/x?a=b&access_token=${rsa.token()}`);
    expect(answer).toMatchObject({ status: 200, got: { url: '/x?a=b' } });
  });
});

describe('several rules', () => {
  test('of one issuer have each their keys', async () => {
    expect(await asBearer('several', rsa.token())).toMatchObject({ status: 200 });
    expect(await asBearer('several', ec.token())).toMatchObject({
      status: 200,
      got: { headers: { 'x-second': 'ann' } },
    });
    expect(await asBearer('several', ed.token())).toMatchObject({ status: 401 });
  });

  test('do not take tokens where only another looks', async () => {
    expect(await asBearer('several', other.token())).toMatchObject({ status: 401 });
    expect(await ask('several', { 'x-other': rsa.token() })).toMatchObject({ status: 401 });
  });

  test('remove what a client put into a header of any of them', async () => {
    const headers = { authorization: `Bearer ${rsa.token()}`, 'x-second': 'root' };
    const answer = await ask('several', headers);
    expect(answer.status).toBe(200);
    expect(answer.got?.headers['x-second']).toBeUndefined();
  });
});

describe('an AuthorizationPolicy', () => {
  test.each([
    ['the principal', rsa.token()],
    ['a scope of several', rsa.token({ sub: 'bob', scope: 'read write' })],
    ['a list', rsa.token({ sub: 'bob', scope: ['read', 'write'] })],
    ['a list separated by spaces that the rule names', other.token({ roles: 'clerk boss' })],
    ['a claim in a claim', rsa.token({ sub: 'bob', realm: { group: 'ops' } })],
    ['an audience', rsa.token({ sub: 'bob', aud: ['shop', 'admin'] })],
    ['a presenter', rsa.token({ sub: 'bob', azp: 'app-1' })],
  ])('allows by %s of a valid token', async (_, token) => {
    expect(await asBearer('allowed', token)).toMatchObject({ status: 200 });
  });

  test('allows nobody else', async () => {
    expect(await ask('allowed')).toMatchObject({ status: 403, got: undefined });
    expect(await asBearer('allowed', rsa.token({ sub: 'bob' }))).toMatchObject({ status: 403 });
    expect(await asBearer('allowed', rsa.token({ sub: 'bob', roles: 'clerk boss' }))).toMatchObject({ status: 403 });
    expect(await asBearer('allowed', other.token())).toMatchObject({ status: 403 });
    expect(await asBearer('allowed', stranger.token())).toMatchObject({ status: 401 });
  });

  test('denies who has no principal, and by a claim', async () => {
    expect(await ask('denied')).toMatchObject({ status: 403 });
    expect(await asBearer('denied', rsa.token())).toMatchObject({ status: 200 });
    expect(await asBearer('denied', rsa.token({ sub: 'eve' }))).toMatchObject({ status: 403 });
    expect(await asBearer('denied', rsa.token({ sub: undefined }))).toMatchObject({ status: 403 });
  });
});
