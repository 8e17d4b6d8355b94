import { expect, test } from '@jest/globals';
import { expandArgument, toArgument } from './expansion.ts';
import { luaString, ownLabels, ownPrincipal } from './own-labels.ts';
import { SHOP } from './testing/own-workload.ts';

const expand = (text: string): string =>
  JSON.parse(expandArgument(toArgument(text), { POD_NAMESPACE: 'shop', SERVICE_ACCOUNT: 'web' }));

test('a pod says of itself what it is, and that it does not know', () => {
  expect(expand(ownLabels('source', SHOP))).toBe(
    'source_workload="shop",source_workload_namespace="shop",source_canonical_service="shop",source_canonical_revision="v1",source_app="shop",source_version="unknown",source_cluster="Kubernetes"',
  );
  expect(expand(ownPrincipal(SHOP))).toBe('spiffe://cluster.local/ns/shop/sa/web');
});

test('no value ends the label it is in', () => {
  expect(ownLabels('destination', { ...SHOP, app: 'a"b\\c\nd' })).toContain('destination_app="a\\"b\\\\c\\nd"');
});

test('no text ends the string of Lua that it is in', () => {
  expect(luaString('a"b\\c\n$(X)')).toBe('"a\\034b\\092c\\010$(X)"');
});
