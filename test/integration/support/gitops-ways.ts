import { expect } from '@jest/globals';
import { BORROWED_ANNOTATION } from '../../../api/borrowed-annotation.ts';
import type { Way } from './gitops-engines.ts';
import type { GitopsShop } from './gitops-shop.ts';

export const ARGO: Way = { engine: 'argocd' };
const ARGO_SERVER_SIDE: Way = { engine: 'argocd', serverSideApply: true };
export const FLUX: Way = { engine: 'flux' };

/** The ways of Argo CD, and what they are called in titles. */
export const ARGO_WAYS = [
  ['Argo CD', ARGO],
  ['Argo CD with server-side apply', ARGO_SERVER_SIDE],
] as const;

/** All ways. */
export const WAYS = [...ARGO_WAYS, ['Flux', FLUX]] as const;

/** What the sidecars count: of a good revision, of a bad one, and while nobody calls. */
export const GOOD = { requests: 1000, failures: 0 };
export const BAD = { requests: 1000, failures: 500 };
export const NONE = { requests: 0, failures: 0 };

const ANNOTATION = `metadata.annotations.${BORROWED_ANNOTATION}`;
const ROOM = ['spec.strategy.rollingUpdate.maxSurge', 'spec.strategy.rollingUpdate.maxUnavailable'];

/** What is borrowed of a Deployment while nothing is tried, or the revision that was has failed. */
export const AT_REST = [ANNOTATION, ...ROOM];
/** While a revision is tried. */
export const TRYING = [ANNOTATION, 'spec.progressDeadlineSeconds', ...ROOM];
/** While a revision is tried, where the user has set how a rollout goes. */
export const TIME_ALONE = [ANNOTATION, 'spec.progressDeadlineSeconds'];
/** While a StatefulSet's revision is tried. */
export const PARTITION = [ANNOTATION, 'spec.updateStrategy.rollingUpdate.partition'];

/**
 * The engine finds nothing out of sync, and these fields are borrowed, no others. Then it syncs once more, as in the middle of a release what heals itself
 * may do: after that it is all the same.
 */
export async function isInSync(shop: GitopsShop, owned: readonly string[]): Promise<void> {
  await shop.owns(owned);
  const { metadata } = await shop.target();
  expect(await shop.drift()).toEqual([]);
  await shop.sync();
  expect(await shop.drift()).toEqual([]);
  expect(await shop.owned()).toEqual(owned);
  // The spec has not been changed, and changed back, in between.
  expect((await shop.target()).metadata?.generation).toBe(metadata?.generation);
}
