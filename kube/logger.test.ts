import { spawnSync } from 'node:child_process';
import { describe, expect, test } from '@jest/globals';

/** Runs a program that logs; the logger writes to the process's own stderr, so it needs a process. */
function logged(statement: string, env: NodeJS.ProcessEnv = {}): string[] {
  const program = `import { createLogger } from './kube/logger.ts'; const logger = createLogger('operator'); ${statement}`;
  const run = spawnSync(process.execPath, ['--input-type=module', '-e', program], {
    encoding: 'utf8',
    env: { PATH: process.env.PATH ?? '', ...env },
  });
  return run.stderr.split('\n').filter((line) => line.includes('operator'));
}

describe('the logger', () => {
  test('writes JSON lines with the fields', () => {
    const lines = logged("logger.child({ kind: 'Pod' }).warn('list failed', { delayMs: 5 });");
    expect(JSON.parse(lines[0] ?? '')).toMatchObject({
      level: 'warn',
      message: 'list failed',
      component: 'operator',
      kind: 'Pod',
      delayMs: 5,
      timestamp: expect.any(String),
    });
  });

  test('writes the text of an error', () => {
    const [line] = logged("logger.error('broken', { error: new Error('disk is full') });");
    expect(JSON.parse(line ?? '').error).toContain('disk is full');
  });

  test('keeps to its level, and writes text when asked to', () => {
    const env = { HEDDLE_LOG_LEVEL: 'debug', HEDDLE_LOG_FORMAT: 'text' };
    expect(logged("logger.debug('hello', { a: 1 });")).toEqual([]);
    expect(logged("logger.debug('hello', { a: 1 });", env)[0]).toMatch(/Z debug operator hello a=1$/);
  });
});
