import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { authorizationPolicySpec } from './authorization-policy.ts';
import { httpOnlyFields, judgeAuthorizationPolicy } from './authorization-policy-judgement.ts';
import { targetsOf } from './policy-aim.ts';

describe('AuthorizationPolicy', () => {
  test('never throws, whatever the spec is, and what it takes is of the shape of its schema', () => {
    const names = ['selector', 'matchLabels', 'targetRef', 'targetRefs', 'action', 'provider', 'name', 'rules', 'from'];
    const inner = [
      'source',
      'to',
      'operation',
      'when',
      'key',
      'values',
      'notValues',
      'principals',
      'ipBlocks',
      'paths',
    ];
    const text = fc.oneof(
      fc.constantFrom('*', '/{*}', '/{**}/{', 'ALLOW', 'DENY', 'CUSTOM', '10.0.0.0/8', 'source.ip', '__proto__', ''),
      fc.constantFrom('request.headers[a]', 'request.headers[', 'a/b/c', '80', '\ud800', 'request.auth.claims[a][b]'),
      fc.string({ unit: 'binary' }),
    );
    const { node } = fc.letrec<{ node: unknown }>((tie) => ({
      node: fc.oneof(
        { maxDepth: 7, depthSize: 'small' },
        text,
        fc.jsonValue({ maxDepth: 1 }),
        fc.array(tie('node'), { maxLength: 3 }),
        fc.dictionary(fc.constantFrom(...names, ...inner, '__proto__', 'constructor'), tie('node'), { maxKeys: 6 }),
      ),
    }));
    const property = fc.property(node, (value) => {
      const json: unknown = JSON.parse(JSON.stringify(value));
      const { spec, errors } = judgeAuthorizationPolicy(json);
      expect(spec === undefined).toBe(errors.length > 0);
      for (const { field, message } of errors) expect(`${field} ${message}`).toMatch(/^spec[.[]? ?.*\S/s);
      if (spec === undefined) return;
      expect(authorizationPolicySpec.safeParse(spec).success).toBe(true);
      targetsOf(spec);
      for (const rule of spec.rules ?? []) httpOnlyFields(rule);
    });
    fc.assert(property, { numRuns: 2000 });
  });
});
