import { beforeAll, describe, expect, test } from '@jest/globals';
import { run, tryRun } from '../../hack/cluster/command.ts';
import type { LifecycleReport } from '../../hack/cluster/lifecycle-trial.ts';

const PROGRAM = 'hack/cluster/main.ts';

describe('the local cluster, for one who can not have it', () => {
  test('says in one sentence that it needs root, and the way out', async () => {
    // A user namespace makes us nobody without taking away the right to read the checkout.
    const refused = await tryRun('unshare', ['--user', process.execPath, PROGRAM, 'up']);
    expect(refused.stderr).toMatch(/^error: The local cluster .* needs root: .*--context NAME.*\n$/);
    expect(refused.code).toBe(4);
  });

  test('answers wrong usage with exit code 2', async () => {
    expect((await tryRun(process.execPath, [PROGRAM, 'sideways'])).code).toBe(2);
  });
});

describe('the local cluster, from up to down', () => {
  let seen: LifecycleReport;

  beforeAll(async () => {
    const trial = ['--net', '--mount', process.execPath, 'hack/cluster/lifecycle-trial.ts'];
    seen = JSON.parse(await run('unshare', trial, { timeoutMs: 280_000 })) as LifecycleReport;
  }, 290_000);

  // Half a minute on two cores that have nothing else to do; a busy machine may take three times as long.
  test('is up, warm, soon', () => {
    expect(seen.firstUpSeconds).toBeLessThan(90);
  });

  test('stays as it is when it is started twice', () => {
    expect(seen.secondUpSeconds).toBeLessThan(seen.firstUpSeconds / 3);
  });

  test('takes a second node', () => {
    expect(seen.nodesBeforeKill).toMatch(/^heddle-local +Ready .*\nheddle-local-2 +Ready /);
  });

  test('knows that it was killed from outside, cleans up and starts', () => {
    expect(seen.killed).toBeGreaterThan(8);
    expect(seen.stateAfterKill).toBe('Broken');
    expect(seen.upAfterKillSeconds).toBeLessThan(120);
    expect(seen.podsAfterKill).toMatch(/coredns-\S+ +1\/1 +Running/);
  });

  test('leaves no process, mount, link, firewall rule or file behind', () => {
    expect(seen.left).toEqual([]);
  });
});
