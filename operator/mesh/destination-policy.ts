import type { DestinationRuleSpec } from '../../api/destination-rule.ts';
import type { ObjectKey, ObjectRef } from './object-ref.ts';
import type { Labels } from './selector.ts';
import type { Hostname } from './snapshot.ts';
import type { Visibility } from './visibility.ts';

/** `trafficPolicy` as Istio's API has it, valid. */
export type TrafficPolicy = NonNullable<DestinationRuleSpec['trafficPolicy']>;

export interface SubsetPolicy {
  readonly name: string;
  readonly labels: Labels;
  /** Fields of it take the place of the rule's, one by one. */
  readonly policy?: TrafficPolicy;
}

/** A DestinationRule, valid and with its names resolved. */
export interface DestinationPolicy {
  readonly object: ObjectRef;
  readonly key: ObjectKey;
  /** Ms since the epoch; the older wins. */
  readonly createdAt: number;
  /** Fully qualified, in lower case; with `*.` in front, or `*` alone, for many. */
  readonly host: Hostname;
  readonly visibility: Visibility;
  /** Labels of the clients it is for; empty: all. */
  readonly clients: Labels;
  readonly policy?: TrafficPolicy;
  readonly subsets: readonly SubsetPolicy[];
}
