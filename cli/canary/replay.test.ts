import { describe, expect, test } from '@jest/globals';
import { stringify } from 'yaml';
import type { AnalysisRound } from '../../api/canary-round.ts';
import { judgeRound } from '../../operator/canary/judge/judge-round.ts';
import { CliError } from '../cli-error.ts';
import { formatReplay, readRounds } from './replay.ts';

function roundOf(requests: number, failures: number): AnalysisRound {
  const counts = (failed: number) => ({
    callers: { requests, failures: failed },
    served: { requests, failures: failed },
  });
  const inputs: AnalysisRound['inputs'] = {
    elapsedMs: 10_000,
    weight: 50,
    window: 1,
    confidence: 99,
    minRequests: 10,
    metrics: [{ name: 'request-success-rate', intervalMs: 10_000, min: 99 }],
    complete: true,
    reports: true,
    next: counts(failures),
    stable: counts(0),
  };
  const { verdict, message, metrics } = judgeRound(inputs);
  const said = message === undefined ? {} : { message };
  return {
    time: '2026-01-01T00:00:10Z',
    revision: 'new',
    stableRevision: 'old',
    step: 0,
    verdict,
    ...said,
    metrics: [...metrics],
    inputs,
  };
}

const yamlOf = (...rounds: readonly AnalysisRound[]) => stringify({ kind: 'Canary', status: { rounds } });

describe('a recorded analysis', () => {
  test.each([
    [roundOf(1000, 0), 'Passed'],
    [roundOf(1000, 300), 'Failed'],
    [roundOf(3, 0), 'InsufficientTraffic'],
  ])('gives the verdict that it gave before', (round, verdict) => {
    const { table, same } = formatReplay(readRounds(yamlOf(round), 'file'));
    expect(same).toBe(true);
    expect(table.match(new RegExp(`${verdict} +${verdict}`))).not.toBeNull();
  });

  test('that says something else than the judge is told apart', () => {
    const { same } = formatReplay(readRounds(yamlOf({ ...roundOf(1000, 300), verdict: 'Passed' }), 'file'));
    expect(same).toBe(false);
  });

  test('is read from lists of Canaries too', () => {
    const list = stringify({
      kind: 'List',
      items: [{ kind: 'Canary', status: { rounds: [roundOf(10, 0)] } }, { kind: 'Pod' }],
    });
    expect(readRounds(list, 'file')).toHaveLength(1);
  });

  test.each([
    ['rounds: [', /file is no YAML/],
    [yamlOf({ ...roundOf(10, 0), verdict: 'Perhaps' as 'Passed' }), /file: status.rounds.0.verdict/],
  ])('that is none is refused', (content, message) => {
    expect(() => readRounds(content, 'file')).toThrow(CliError);
    expect(() => readRounds(content, 'file')).toThrow(message);
  });
});
