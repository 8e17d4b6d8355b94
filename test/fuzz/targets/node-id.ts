import { parseNodeId } from '../../../operator/ads/node-id.ts';
import { nodeIdOf } from '../../feature/support/ads-harness.ts';
import { asBuffer } from '../engine/as-buffer.ts';
import type { Target } from '../target.ts';
import { repeated } from './repeated.ts';

const pod = { uid: 'u', name: 'web-7d4b9c6f5-x2x4z', namespace: 'shop', serviceAccount: 'default' };

/** Node IDs of first messages. */
export const target: Target = {
  name: 'node-id',
  about: 'node IDs in first messages, of who has a token of the cluster',
  form: 'text',
  seeds: [['10.0.0.1'], ['fd00::1']].map((ips) => Buffer.from(nodeIdOf({ ...pod, ips }))),
  *largest() {
    for (const piece of ['a', '.', 'a.', '~', 'a-.']) yield Buffer.from(`sidecar~1~${repeated(piece, 1010)}`);
    yield repeated('sidecar~', 4 << 20);
  },
  run(bytes) {
    const parsed = parseNodeId(asBuffer(bytes).toString());
    if (parsed !== undefined && !(parsed.address && parsed.podName && parsed.namespace))
      throw new Error('part is empty');
  },
};
