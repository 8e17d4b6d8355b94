import { describe, expect, test } from '@jest/globals';
import { type GitopsShop, useGitopsShops } from './support/gitops-shop.ts';
import { AT_REST, BAD, GOOD, isInSync, NONE, PARTITION, TRYING, WAYS } from './support/gitops-ways.ts';

const openShop = useGitopsShops();

const KINDS = [
  ['Deployment', { atRest: AT_REST, trying: TRYING, failed: AT_REST }],
  ['StatefulSet', { atRest: [], trying: PARTITION, failed: PARTITION }],
] as const;

/** How a rollout goes, where nobody has set that. */
const DEFAULTS = {
  Deployment: { type: 'RollingUpdate', rollingUpdate: { maxSurge: '25%', maxUnavailable: '25%' } },
  StatefulSet: 0,
};

async function howItGoes(shop: GitopsShop): Promise<unknown> {
  const { spec } = await shop.target();
  // A partition that was given back is absent, or 0: it is the same.
  return shop.kind === 'Deployment' ? spec.strategy : (spec.updateStrategy.rollingUpdate?.partition ?? 0);
}

describe.each(WAYS)('%s', (_name, way) => {
  test.each(KINDS)(
    'sees no drift in the whole life of a Canary of a %s, and may sync at any moment',
    async (kind, owned) => {
      const shop = await openShop(kind, way);
      await shop.commit({ version: '1' });
      await shop.phase('Initialized');
      await isInSync(shop, owned.atRest);

      await shop.commit({ version: '2' });
      await shop.phase('Progressing', 'Waiting');
      await isInSync(shop, owned.trying);
      const trying = await shop.phase('Progressing', 'Waiting');
      shop.operator.answers = GOOD;
      const { status } = await shop.phase('Succeeded');
      expect(status?.stableRevision).toBe(trying.status?.canaryRevision);
      await isInSync(shop, owned.atRest);

      shop.operator.answers = BAD;
      await shop.commit({ version: '3' });
      await shop.phase('Failed');
      await isInSync(shop, owned.failed);
      expect((await shop.phase('Failed')).status?.stableRevision).toBe(status?.stableRevision);

      shop.operator.answers = NONE;
      await shop.commit({ version: '4' });
      await shop.phase('Progressing', 'Waiting');
      await shop.command('abort');
      await shop.phase('Failed');
      await isInSync(shop, owned.failed);
      await shop.prune();
      await shop.isLeft();
      expect(await howItGoes(shop)).toEqual(DEFAULTS[kind]);
      await isInSync(shop, []);
    },
    120_000,
  );

  test('makes a target anew that was deleted in the middle of a release, and sees no drift from then on', async () => {
    const shop = await openShop('Deployment', way);
    await shop.tryNext();
    await shop.loseTarget();
    await shop.sync();
    await shop.phase('Initialized', 'Succeeded');
    await isInSync(shop, AT_REST);
  }, 120_000);
});
