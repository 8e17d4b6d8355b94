import type { DeltaRequest } from '../request.ts';

/** A request that says nothing yet. */
export const BLANK_REQUEST: Omit<DeltaRequest, 'typeUrl'> = {
  nodeId: undefined,
  subscribe: [],
  unsubscribe: [],
  initialVersions: new Map(),
  nonce: '',
  error: undefined,
};
