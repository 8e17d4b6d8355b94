import fc from 'fast-check';
import type { MeshChange } from '../mesh-object.ts';
import { requestAuthentication } from './objects.ts';
import { maybe } from './optional.ts';

const index = fc.nat({ max: 3 });
const namespaces = fc.constantFrom('shop', 'other', 'heddle-system');
const uris = fc.constantFrom('https://a.example/keys', 'https://b.example/keys');

const spec = fc.record({
  selector: maybe(fc.constantFrom<Record<string, string>[]>({}, { app: 'a' }, { tier: 'x' })),
  target: maybe(fc.constantFrom('s0', 's1', 's9')),
  uris: fc.array(uris, { maxLength: 2 }),
  isBroken: fc.boolean(),
});

const policyChanges = fc.tuple(namespaces, index, maybe(spec)).map(([namespace, i, options]): MeshChange => {
  const key = `${namespace}/ra${i}`;
  if (options === undefined) return { kind: 'RequestAuthentication', key, object: undefined };
  const { selector, target, isBroken } = options;
  const object = requestAuthentication(key, {
    ...(target === undefined
      ? selector && { selector: { matchLabels: selector } }
      : { targetRefs: [{ kind: 'Service', name: target }] }),
    jwtRules: [...options.uris.map((jwksUri) => ({ issuer: 'me', jwksUri })), ...(isBroken ? [{}] : [])],
  });
  return { kind: 'RequestAuthentication', key, object };
});

const jwks = fc.record({
  keys: maybe(fc.constantFrom('{"keys":[1]}', '{"keys":[2]}')),
  problem: maybe(fc.constantFrom('the server answered 404', 'it took longer than 5000 ms')),
});

const keyChanges = fc.tuple(uris, maybe(jwks)).map(([uri, found]): MeshChange => {
  const { keys, problem } = found ?? {};
  const object = {
    metadata: { name: uri },
    ...(keys === undefined ? {} : { keys }),
    ...(problem === undefined ? {} : { problem }),
  };
  return { kind: 'Jwks', key: uri, object: found && object };
});

/** RequestAuthentications that come, change and go, and the keys that are fetched for them. */
export const requestAuthenticationChanges = fc.oneof(policyChanges, keyChanges);
