import { describe, expect, test } from '@jest/globals';
import { asksOfRevision, fillQuery, queryProblem } from './query-template.ts';

const values = {
  name: 'orders',
  namespace: 'shop',
  target: 'orders-app',
  service: 'orders',
  interval: '1m',
  revision: '5d9f',
  variables: { direction: 'inbound', empty: '', 'a-b': '{{ name }}' },
};

describe('a query', () => {
  test('is filled in with names and variables, however they are spaced', () => {
    const query = 'sum(rate(x{ns="{{namespace}}",app="{{ target }}",d="{{- variables.direction -}}"}[{{ interval }}]))';
    expect(fillQuery(query, values)).toBe('sum(rate(x{ns="shop",app="orders-app",d="inbound"}[1m]))');
    expect(fillQuery('{{ variables.empty }}', values)).toBe('');
  });

  test('is filled in once: a value is no query', () => {
    expect(fillQuery('{{ variables.a-b }}', values)).toBe('{{ name }}');
  });

  test.each([
    ['{{ ingress }}', '{{ ingress }} is not known'],
    ['{{ variables }}', '{{ variables }} is not known'],
    ['{{ printf "%s" name }}', 'is not known'],
    ['a{{ name }', 'has braces without their counterpart'],
    ['a }} b', 'has braces without their counterpart'],
  ])('with %s is refused', (query, said) => {
    expect(queryProblem(query)).toContain(said);
    expect(() => fillQuery(query, values)).toThrow(said);
  });

  test('says which variable is missing', () => {
    expect(() => fillQuery('{{ variables.toString }}', values)).toThrow('templateVariables has no toString');
  });

  test('may ask of a revision', () => {
    expect(asksOfRevision('x{r="{{ revision }}"}')).toBe(true);
    expect(asksOfRevision('x{r="{{ target }}"}')).toBe(false);
  });
});
