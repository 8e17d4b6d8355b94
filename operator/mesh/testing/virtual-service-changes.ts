import fc from 'fast-check';
import type { HttpMatch } from '../../../api/http-match.ts';
import type { HttpRoute } from '../../../api/http-route.ts';
import type { VirtualServiceSpec } from '../../../api/virtual-service.ts';
import type { MeshChange } from '../mesh-object.ts';
import { virtualService } from './objects.ts';

/** Random VirtualServices for property tests: few names, hosts and destinations, so that they meet. */

const namespaces = fc.constantFrom('shop', 'other', 'heddle-system');
const time = fc.constantFrom('2026-01-01T00:00:00Z', '2026-01-02T00:00:00Z');

const matches = fc.constantFrom<HttpMatch[][]>(
  [],
  [],
  [{ uri: { prefix: '/a' } }],
  [{ uri: { prefix: '/a/b' } }, { uri: { exact: '/' }, headers: { who: { exact: 'me' } } }],
  [{ uri: { prefix: '/' } }],
  [{ port: 80, gateways: ['edge'] }],
);

const destinations = fc.record({
  host: fc.constantFrom('s0', 's1.shop.svc.cluster.local', 'h5703.example.com', 'www.example.com', 'nowhere'),
  subset: fc.constantFrom('', 'v1'),
  port: fc.constantFrom({ number: 80 }, { number: 443 }),
});

const forwards = fc
  .tuple(matches, destinations)
  .map(([match, destination]): HttpRoute => ({ match, route: [{ destination }] }));

/** Mostly of delegates; of roots too, and of what is not there. */
const delegations = fc
  .tuple(matches, maybeElsewhere(), fc.constantFrom('d0', 'd1', 'd1', 'r0'))
  .map(([match, namespace, name]): HttpRoute => ({ match, delegate: { name, ...namespace } }));

const roots = fc.record({
  hosts: fc.constantFrom<string[][]>(
    ['s0.shop.svc.cluster.local'],
    ['s0.shop.svc.cluster.local', 'a.example.com'],
    ['*.example.com'],
  ),
  gateways: fc.constantFrom<string[][]>([], [], [], ['mesh', 'edge'], ['edge']),
  http: fc.array(fc.oneof(forwards, forwards, delegations), { minLength: 1, maxLength: 3 }),
  tcp: fc.array(
    destinations.map((destination) => ({ route: [{ destination }] })),
    { maxLength: 1 },
  ),
});

/** Those that delegate themselves, or have no rule, are not valid. */
const delegates = fc.record({
  http: fc.array(fc.oneof({ weight: 9, arbitrary: forwards }, delegations), { maxLength: 2 }),
});

const exports = fc.constantFrom<string[][]>(['*'], ['*'], ['.'], ['.', 'other']);

/** A VirtualService that comes, changes or goes. `r0` to `r2` have hosts, `d0` and `d1` are delegates, and at times it is the other way round. */
export const virtualServiceChanges: fc.Arbitrary<MeshChange> = fc
  .record({
    namespace: namespaces,
    name: fc.constantFrom('r0', 'r1', 'r2', 'd0', 'd1'),
    otherRole: fc.nat({ max: 9 }).map((number) => number === 0),
    root: roots,
    delegate: delegates,
    exportTo: exports,
    creation: time,
    gone: fc.nat({ max: 4 }).map((number) => number === 0),
  })
  .map(({ namespace, name, otherRole, root, delegate, exportTo, creation, gone }) => {
    const key = `${namespace}/${name}`;
    const spec: VirtualServiceSpec = { ...(name.startsWith('r') === otherRole ? delegate : root), exportTo };
    return { kind: 'VirtualService', key, object: gone ? undefined : virtualService(key, spec, creation) };
  });

function maybeElsewhere(): fc.Arbitrary<{ namespace?: string }> {
  return fc.option(namespaces, { nil: undefined }).map((namespace) => (namespace === undefined ? {} : { namespace }));
}
