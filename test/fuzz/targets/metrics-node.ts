import { decodeOrRefuse, RefusalError } from '../../../operator/ads/refusal.ts';
import { decodeStreamIdentifier } from '../../../operator/ads/request.ts';
import type { Target } from '../target.ts';
import { MESSAGES } from './metrics.ts';
import { ofShortParts } from './repeated.ts';

/** First messages of metrics, of which the node is read before their sender may send more. */
export const target: Target = {
  name: 'metrics-node',
  about: 'first messages of metrics, of who has a token of the cluster',
  form: 'protobuf',
  seeds: MESSAGES,
  largest: () => ofShortParts(['1200', '7800', '7b', '7d00000000']),
  run(bytes) {
    try {
      decodeOrRefuse(bytes, decodeStreamIdentifier);
    } catch (error) {
      if (!(error instanceof RefusalError)) throw error;
    }
  },
};
