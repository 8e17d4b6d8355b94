import { expect, test } from '@jest/globals';
import { goldenNames, loadGoldenCase } from '../../operator/xds/testing/golden-case.ts';
import { useEnvoyJudge } from './support/envoy-judge.ts';

const objections = useEnvoyJudge();

test.each(goldenNames())(
  'Envoy accepts all that the pod of the golden case %s is sent, whether the case shows it or not',
  async (name) => {
    const { cache, proxy } = loadGoldenCase(name);
    expect(await objections(cache, proxy)).toBe('');
  },
  60_000,
);
