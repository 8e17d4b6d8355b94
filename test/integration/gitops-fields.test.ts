import { describe, expect, test } from '@jest/globals';
import { FIELD_MANAGER } from '../../operator/canary/targets/borrowed-fields.ts';
import { useGitopsShops } from './support/gitops-shop.ts';
import { ARGO, ARGO_WAYS, AT_REST, FLUX, GOOD, isInSync, TIME_ALONE, TRYING, WAYS } from './support/gitops-ways.ts';

const openShop = useGitopsShops();

const strategy = (maxSurge: string | number, maxUnavailable: string | number) => ({
  strategy: { type: 'RollingUpdate', rollingUpdate: { maxSurge, maxUnavailable } },
});
/** What is borrowed of a Deployment of four while the half of it is tried. */
const AS_BORROWED = strategy('50%', 0);

describe.each(WAYS)('fields that git sets, by %s,', (_name, way) => {
  test('are the user’s from then on, and can be borrowed again once git has them no more', async () => {
    const shop = await openShop('Deployment', way);
    await shop.tryNext();
    await shop.owns(TRYING);

    await shop.commit({ version: '2', spec: strategy(1, 1) });
    await isInSync(shop, TIME_ALONE);
    expect((await shop.target()).spec).toMatchObject(strategy(1, 1));
    shop.operator.answers = GOOD;
    await shop.phase('Succeeded');
    await isInSync(shop, []);
    expect((await shop.target()).spec).toMatchObject(strategy(1, 1));

    await shop.commit({ version: '2' });
    await isInSync(shop, AT_REST);
  }, 120_000);

  test('of how many replicas there are it says nothing where git has none, and they stay as an autoscaler has set them', async () => {
    const shop = await openShop('Deployment', way);
    const spec = { replicas: undefined };
    await shop.commit({ version: '1', spec });
    await shop.scale(4);
    await shop.phase('Initialized');
    await shop.commit({ version: '2', spec });
    await shop.phase('Progressing', 'Waiting');
    await shop.scale(6);
    await isInSync(shop, TRYING);
    shop.operator.answers = GOOD;
    await shop.phase('Succeeded');
    await isInSync(shop, AT_REST);
    expect((await shop.target()).spec.replicas).toBe(6);
  }, 120_000);

  test('leave a revision that came without gates stopped, where they do not say that it is to run', async () => {
    const shop = await openShop('Deployment', way);
    await shop.commit({ version: '1' });
    await shop.phase('Initialized');
    await shop.commit({ version: '2', gated: false });
    await shop.becomes('stopped', ({ spec }) => spec.paused === true);
    expect(await shop.drift()).toEqual([]);
    await shop.sync();
    expect((await shop.target()).spec.paused).toBe(true);
    await shop.commit({ version: '1' });
    await shop.becomes('running', ({ spec }) => spec.paused !== true);
    await isInSync(shop, AT_REST);
  }, 120_000);

  test('say that it is to run, and with each sync undo that such a revision is stopped: it is stopped again, and not released', async () => {
    const spec = { paused: false };
    const shop = await openShop('Deployment', way);
    await shop.commit({ version: '1', spec });
    const { status } = await shop.phase('Initialized');
    await shop.commit({ version: '2', spec, gated: false });
    await shop.becomes('stopped', ({ spec: { paused } }) => paused === true);
    // But for a comparison of three, the engines take a false for nothing, and Flux applies no such field.
    const seen = way === ARGO ? ['Deployment/shop: spec.paused true → undefined'] : [];
    expect(await shop.drift()).toEqual(seen);
    expect(await shop.drift({ ignoredManagers: [FIELD_MANAGER] })).toEqual([]);
    for (let round = 0; round < 2; round++) {
      await shop.sync();
      await shop.becomes('stopped again', ({ spec: { paused } }) => paused === true);
    }
    const still = await shop.phase('Progressing', 'Waiting');
    expect(still.status?.stableRevision).toBe(status?.stableRevision);
  }, 120_000);
});

describe.each(ARGO_WAYS)('values that are borrowed already, by %s,', (_name, way) => {
  test('are the user’s once git sets them, during the release and when the Canary is gone', async () => {
    const shop = await openShop('Deployment', way);
    await shop.tryNext();
    await shop.owns(TRYING);
    expect((await shop.target()).spec).toMatchObject(AS_BORROWED);

    await shop.commit({ version: '2', spec: AS_BORROWED });
    await isInSync(shop, TIME_ALONE);
    expect((await shop.target()).spec).toMatchObject(AS_BORROWED);
    shop.operator.answers = GOOD;
    await shop.phase('Succeeded');
    await isInSync(shop, []);
    await shop.prune();
    await shop.isLeft();
    expect((await shop.target()).spec).toMatchObject(AS_BORROWED);
    await isInSync(shop, []);
  }, 120_000);
});

test('Flux applies no values that are there already: it puts them right in the next round after they are given back', async () => {
  const shop = await openShop('Deployment', FLUX);
  await shop.commit({ version: '1' });
  await shop.phase('Initialized');
  await shop.commit({ version: '1', spec: AS_BORROWED });
  await isInSync(shop, AT_REST);
  await shop.prune();
  await shop.isLeft();
  const room = 'Deployment/shop: spec.strategy.rollingUpdate';
  expect(await shop.drift()).toEqual([`${room}.maxSurge "25%" → "50%"`, `${room}.maxUnavailable "25%" → 0`]);
  await shop.sync();
  expect((await shop.target()).spec).toMatchObject(AS_BORROWED);
  await isInSync(shop, []);
}, 120_000);
