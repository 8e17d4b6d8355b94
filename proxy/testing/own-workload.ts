import type { OwnWorkload } from '../own-labels.ts';

/** The workload of a test's pod. */
export const SHOP: OwnWorkload = {
  workload: 'shop',
  canonicalService: 'shop',
  canonicalRevision: 'v1',
  app: 'shop',
  version: '',
  trustDomain: 'cluster.local',
};
