import { describe, expect, test } from '@jest/globals';
import { readMatrix, readVector } from './prometheus-answer.ts';

const answer = (resultType: string, result: unknown): string => JSON.stringify({ data: { resultType, result } });
const labels = (count: number): object => Object.fromEntries(Array.from({ length: count }, (_, i) => [`l${i}`, '']));
const SHAPE = 'answers in a form that is not its own';

describe('an answer of Prometheus', () => {
  test('is read as its API has it', () => {
    const metric = { le: '+Inf' };
    expect(readVector(200, answer('vector', [{ metric, value: [1, '+Inf'] }]))).toEqual([
      { metric, value: Number.NaN },
    ]);
    const values = [
      [1, '4.2'],
      [2.5, '0'],
    ];
    expect(readMatrix(200, answer('matrix', [{ metric, values }]))).toEqual([
      {
        metric,
        values: [
          [1, 4.2],
          [2.5, 0],
        ],
      },
    ]);
  });

  test.each<[string, unknown]>([
    ['no list', {}],
    ['a series that is none', [null]],
    ['a series without labels', [{ value: [1, '1'] }]],
    ['labels that are a list', [{ metric: [], value: [1, '1'] }]],
    ['a label that is a number', [{ metric: { a: 1 }, value: [1, '1'] }]],
    ['more labels than there are', [{ metric: labels(101), value: [1, '1'] }]],
    ['no value', [{ metric: {} }]],
    ['a value that is no text', [{ metric: {}, value: [1, 1] }]],
    ['a time that is a text', [{ metric: {}, value: ['1', '1'] }]],
    ['more than a value', [{ metric: {}, value: [1, '1', 1] }]],
  ])('is none with %s', (_, result) => {
    expect(() => readVector(200, answer('vector', result))).toThrow(SHAPE);
  });

  test('is none of another kind than asked for', () => {
    expect(() => readVector(200, answer('matrix', []))).toThrow(SHAPE);
    expect(() => readMatrix(200, answer('vector', []))).toThrow(SHAPE);
    expect(() => readMatrix(200, answer('matrix', [{ metric: {}, values: [1, '1'] }]))).toThrow(SHAPE);
  });

  test.each<[string, unknown, RegExp]>([
    ['values', Array(1_500_001).fill(0), /has more than 1500000 values/],
    ['labels', [{ metric: labels(200_001) }], /has more than 200000 labels/],
  ])('is not read with too many %s, which would take too long', (_, result, expected) => {
    expect(() => readVector(200, answer('vector', result))).toThrow(expected);
  });
});
