import { describe, expect, test } from '@jest/globals';
import { isDiscovered, undiscoveredMessage } from './discovery.ts';
import { readMeshConfig } from './mesh-config.ts';

const TWO = readMeshConfig('discoverySelectors: [{matchLabels: {mesh: "on"}}, {matchLabels: {team: a}}]');

describe('isDiscovered', () => {
  test('takes every namespace without selectors, known or not', () => {
    expect(isDiscovered(readMeshConfig(''), 'shop', {})).toBe(true);
    expect(isDiscovered(readMeshConfig('discoverySelectors: []'), 'shop', undefined)).toBe(true);
  });

  test('takes namespaces that one of the selectors matches', () => {
    expect(isDiscovered(TWO, 'shop', { mesh: 'on' })).toBe(true);
    expect(isDiscovered(TWO, 'shop', { team: 'a' })).toBe(true);
    expect(isDiscovered(TWO, 'shop', { mesh: 'off', team: 'b' })).toBe(false);
  });

  test('takes no namespace that is not known yet, whatever the selectors', () => {
    expect(isDiscovered(readMeshConfig('discoverySelectors: [{}]'), 'shop', undefined)).toBe(false);
  });

  test('always takes the root namespace', () => {
    expect(isDiscovered(TWO, 'heddle-system', {})).toBe(true);
    expect(isDiscovered({ ...TWO, rootNamespace: 'mesh-root' }, 'mesh-root', undefined)).toBe(true);
  });
});

test('the message names the namespace, the field and what to do', () => {
  expect(undiscoveredMessage('shop')).toMatch(
    /namespace shop .*discoverySelectors in mesh.yaml.*label it, or add a selector/,
  );
});
