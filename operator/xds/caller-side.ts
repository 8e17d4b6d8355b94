import { createHash } from 'node:crypto';
import type { RevisionSplit } from '../mesh/snapshot.ts';
import type { Destination, Share } from './destination.ts';
import type { ScopeTraits } from './scope.ts';

/** So many positions there are, one for each percent of weight; clients of one position share what they are sent, however many identities there are. */
const POSITIONS = 100;

/** Where an identity stands among all callers, from 0 to 99: it is on the new side of a split whose weight is above that. The same for all Canaries. */
export function callerPosition(spiffeId: string): number {
  return createHash('sha256').update(spiffeId).digest().readUInt32BE() % POSITIONS;
}

/**
 * The side of a split that all requests of a client go to, where its identity decides.
 * @returns undefined where it does not
 */
export function callerSide(
  { terms, weight }: Pick<RevisionSplit, 'terms' | 'weight'>,
  client: Pick<ScopeTraits, 'position'>,
): 'next' | 'stable' | undefined {
  if (terms?.stickiness?.kind !== 'principal') return undefined;
  // A client that nobody knows stays where everybody was.
  return client.position !== undefined && client.position < Math.round(weight) ? 'next' : 'stable';
}

/** Where the requests of a client go. Where its identity decides, all to one side. */
export function callerShares(
  { shares, split }: Pick<Destination, 'shares' | 'split'>,
  client: Pick<ScopeTraits, 'position'>,
): readonly Share[] {
  if (split === undefined) return shares;
  const weight = shares.find(({ cluster }) => cluster === split.next)?.weight ?? 0;
  const side = callerSide({ terms: split.terms, weight }, client);
  return side === undefined ? shares : [{ cluster: split[side], weight: 100 }];
}
