import { beforeEach, describe, expect, test } from '@jest/globals';
import { NO_KEYS } from '../../api/jwk-set.ts';
import { MeshBuilder } from './mesh-builder.ts';
import { keyOf, type MeshChange, type MeshObject } from './mesh-object.ts';
import { pod, requestAuthentication, SETTINGS, service } from './testing/objects.ts';

const URI = 'https://id.example/keys';
const RULE = { issuer: 'https://id.example', jwksUri: URI };
const KEYS = '{"keys":[1]}';

let mesh: MeshBuilder;
beforeEach(() => {
  mesh = new MeshBuilder(SETTINGS);
  put(
    { kind: 'Pod', object: pod('a', { labels: { app: 'a' } }) },
    { kind: 'Pod', object: pod('b', { labels: { app: 'b' }, namespace: 'other' }) },
    { kind: 'Service', object: service('a', { app: 'a' }) },
  );
});

function put(...objects: readonly MeshObject[]) {
  // Kind and object stay together, which a spread over a union of types does not show.
  return mesh.apply(objects.map((entry) => ({ ...entry, key: keyOf(entry.object.metadata) }) as MeshChange));
}
const policy = (key: string, spec: Parameters<typeof requestAuthentication>[1]) =>
  put({ kind: 'RequestAuthentication', object: requestAuthentication(key, spec) });
const fetched = (keys?: string, problem?: string) =>
  put({ kind: 'Jwks', object: { metadata: { name: URI }, ...(keys && { keys }), ...(problem && { problem }) } });
const tokensOf = (uid: string) =>
  mesh.snapshot.workloads
    .get(uid)
    ?.tokens.map(({ rules, keys, ports }) => [rules.ref.name, keys.map(({ text }) => text), ports]);
const viewOf = (key: string) => mesh.snapshot.policies.get(`RequestAuthentication/${key}`);

describe('a RequestAuthentication', () => {
  test('names the others about its pods, until they are gone; one that selects nothing has none', () => {
    policy('shop/a', { jwtRules: [{ issuer: 'a', jwks: KEYS }] });
    policy('shop/b', { selector: { matchLabels: { app: 'a' } }, jwtRules: [{ issuer: 'b', jwks: KEYS }] });
    policy('shop/nothing', { selector: { matchLabels: { app: 'none' } }, jwtRules: [{ issuer: 'c', jwks: KEYS }] });
    expect(viewOf('shop/a')?.notes).toEqual(['Also about some of its pods: shop/b.']);
    expect(viewOf('shop/b')?.notes).toEqual(['Also about some of its pods: shop/a.']);
    expect(viewOf('shop/nothing')).toMatchObject({ selected: 0, problems: [], notes: [] });
    policy('shop/b', { selector: { matchLabels: { app: 'none' } }, jwtRules: [{ issuer: 'b', jwks: KEYS }] });
    expect(viewOf('shop/a')?.notes).toEqual([]);
    expect(viewOf('shop/b')?.notes).toEqual([]);
  });

  test('is about its namespace, those it selects, ports of a Service, or from the root namespace everybody', () => {
    policy('shop/all', { jwtRules: [RULE] });
    policy('shop/labels', { selector: { matchLabels: { app: 'b' } }, jwtRules: [RULE] });
    policy('shop/ports', { targetRefs: [{ kind: 'Service', name: 'a' }], jwtRules: [RULE] });
    policy('heddle-system/mesh', { jwtRules: [RULE, RULE] });
    expect(tokensOf('uid-a')).toEqual([
      ['mesh', [NO_KEYS, NO_KEYS], undefined],
      ['all', [NO_KEYS], undefined],
      ['ports', [NO_KEYS], [8080]],
    ]);
    expect(tokensOf('uid-b')).toEqual([['mesh', [NO_KEYS, NO_KEYS], undefined]]);
    expect(viewOf('shop/labels')).toMatchObject({ selected: 0 });
    expect(viewOf('heddle-system/mesh')).toMatchObject({ selected: 2 });
  });

  test('has no keys until they are fetched, and says so', () => {
    policy('shop/all', { jwtRules: [RULE] });
    expect(viewOf('shop/all')?.problems).toMatchObject([{ reason: 'NoKeys', message: expect.stringContaining(URI) }]);
    fetched(undefined, 'the server answered 404');
    expect(tokensOf('uid-a')).toEqual([['all', [NO_KEYS], undefined]]);
    expect(viewOf('shop/all')?.problems[0]?.message).toBe(
      `spec.jwtRules: the keys at ${URI} could not be fetched (the server answered 404); until they are, no token is valid by them.`,
    );
    fetched(KEYS);
    expect(tokensOf('uid-a')).toEqual([['all', [KEYS], undefined]]);
    expect(viewOf('shop/all')).toMatchObject({ problems: [], notes: [] });
  });

  test('keeps the last keys while fetching fails, and says so', () => {
    policy('shop/all', { jwtRules: [RULE] });
    fetched(KEYS);
    const { delta } = fetched(KEYS, 'it took longer than 5000 ms');
    expect([...delta.workloads]).toEqual([]);
    expect(viewOf('shop/all')).toMatchObject({
      problems: [],
      notes: [expect.stringContaining('the last ones stay in force')],
    });
  });

  test('that can not be right makes no token valid where it is about', () => {
    policy('shop/all', { selector: { matchLabels: { app: 'a' } }, jwtRules: [{ issuer: 'me', jwks: 'none' }] });
    expect(tokensOf('uid-a')).toEqual([['all', [NO_KEYS], undefined]]);
    expect(viewOf('shop/all')?.problems).toMatchObject([
      { reason: 'Invalid', message: expect.stringContaining('jwtRules[0].jwks') },
    ]);
  });

  test('that can be got past, as a port declares no protocol, says so until it does', () => {
    const any = (port: object) =>
      put({
        kind: 'Service',
        object: service('any', { app: 'a' }, { ports: [{ port: 91, targetPort: 9100, ...port }] }),
      });
    policy('shop/all', { jwtRules: [{ issuer: 'a', jwks: KEYS }] });
    expect(viewOf('shop/all')?.notes).toEqual([]);
    any({});
    expect(viewOf('shop/all')?.notes).toEqual([expect.stringContaining('AuthorizationPolicy that asks for a token')]);
    any({ name: 'grpc-any' });
    expect(viewOf('shop/all')?.notes).toEqual([]);
  });

  test('that names a Service which is not there says so', () => {
    policy('shop/all', { targetRefs: [{ kind: 'Service', name: 'gone' }], jwtRules: [] });
    expect(viewOf('shop/all')?.notes).toEqual([expect.stringContaining('there is no Service shop/gone')]);
  });
});
