import { describe, expect, test } from '@jest/globals';
import { includes, narrowedBy, planDefinition } from './definitions.ts';
import type { ManifestObject } from './manifest-object.ts';
import { readManifests } from './manifests.ts';

const { istioDefinitions } = await readManifests();
const ours = istioDefinitions[0] as ManifestObject;

const definition = (schema: object, labels: Record<string, string> = {}, version = 'v1'): ManifestObject => ({
  apiVersion: 'apiextensions.k8s.io/v1',
  kind: 'CustomResourceDefinition',
  metadata: { name: 'a', labels },
  spec: { versions: [{ name: version, served: true, schema: { openAPIV3Schema: schema } }] },
});
const spec = (properties: object) => ({ type: 'object', properties: { spec: { type: 'object', properties } } });
const text = { type: 'string' };

describe('a definition', () => {
  test.each<[string, object, object, string | undefined]>([
    ['the same', { a: text }, { a: text }, undefined],
    ['one field fewer', {}, { a: text }, undefined],
    ['one field more', { a: text, b: text }, { a: text }, 'v1 spec.b'],
    ['more in a list', { a: { items: { properties: { b: text } } } }, { a: { items: {} } }, 'v1 spec.a[].b'],
    [
      'more in a map',
      { a: { additionalProperties: { properties: { b: text } } } },
      { a: { additionalProperties: { properties: {} } } },
      'v1 spec.a.*.b',
    ],
    ['any field', { a: { 'x-kubernetes-preserve-unknown-fields': true } }, { a: {} }, 'v1 spec.a (any field)'],
    ['a value more', { a: { enum: ['x', 'y'] } }, { a: { enum: ['x'] } }, 'v1 spec.a "y"'],
    ['any value', { a: text }, { a: { enum: ['x'] } }, 'v1 spec.a (any value)'],
    [
      'less than one that takes all',
      { a: { properties: { b: text } } },
      { a: { 'x-kubernetes-preserve-unknown-fields': true } },
      undefined,
    ],
  ])('that has %s is narrowed by %j', (_, present, own, expected) => {
    expect(narrowedBy(definition(spec(present)), definition(spec(own)))).toBe(expected);
  });

  test('that serves a version more is narrowed by that', () => {
    expect(narrowedBy(definition({}, {}, 'v2'), definition({}))).toBe('version v2');
  });

  test('goes where there is none, or an older one of ours', () => {
    expect(planDefinition(undefined, ours)).toEqual({ apply: true });
    expect(planDefinition(ours, ours)).toEqual({ apply: true });
  });

  test.each<[string, Record<string, string>]>([
    ['no label of ours', {}],
    ['the labels of an Istio', { 'app.kubernetes.io/part-of': 'heddle', app: 'istio-pilot' }],
  ])('stays with %s', (_, labels) => {
    const present = { ...ours, metadata: { ...ours.metadata, labels } };
    expect(planDefinition(present, ours)).toEqual({ apply: false, reason: "it is there already, and not Heddle's" });
  });

  test('stays that knows more, and the plan says what', () => {
    const wider = structuredClone(definition(spec({ later: text }), { 'app.kubernetes.io/part-of': 'heddle' }));
    expect(planDefinition(wider, definition(spec({})))).toEqual({
      apply: false,
      reason: 'the one that is there knows more: v1 spec.later',
    });
  });

  test('includes what ours says, whatever the server added', () => {
    expect(includes({ a: [{ b: 1, c: 2 }], d: 3 }, { a: [{ b: 1 }] })).toBe(true);
    expect(includes({ a: [{ b: 1 }] }, { a: [{ b: 2 }] })).toBe(false);
    expect(includes({}, { a: [] })).toBe(false);
  });
});
