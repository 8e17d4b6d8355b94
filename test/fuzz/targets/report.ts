import { silentLogger } from '../../../kube/logger.ts';
import { RefusalError } from '../../../operator/ads/refusal.ts';
import { RemoteProxies } from '../../../operator/replicas/remote-proxies.ts';
import { encodeReport, NOTHING_TO_REPORT } from '../../../operator/replicas/report-message.ts';
import { CLUSTER_TYPE } from '../../../operator/xds/resource.ts';
import type { Target } from '../target.ts';
import { MESSAGES } from './metrics.ts';

const replica = { uid: 'r', podName: 'operator-1', namespace: 'heddle-system', serviceAccount: 'operator' };
const state = {
  ...{ uid: 'u1', podName: 'web-1', namespace: 'shop', serviceAccount: 'default' },
  ...{ connected: true, connectedAt: 1_700_000_000_000 },
};
const term = { typeUrl: CLUSTER_TYPE, name: 'a', version: '1' };

/** Reports of replicas, which are of ours but may be of another version. */
export const target: Target = {
  name: 'report',
  about: 'reports of other replicas of the operator',
  form: 'protobuf',
  seeds: [
    { nodeId: 'sidecar~10.0.0.2~operator-1.heddle-system~heddle-system.svc.cluster.local' },
    { states: [state], terms: [term], inForce: [{ uid: 'u1', terms: [0, 300], asked: [0] }], whole: true },
    { states: [state], rejections: [{ uid: 'u1', refused: [{ ...term, message: 'no' }] }], termsAnew: true },
    { states: [state], metrics: MESSAGES.map((message) => ({ uid: 'u1', message })), forgotten: ['u1', 'u2'] },
  ].map((fields) => encodeReport({ ...NOTHING_TO_REPORT, ...fields })),
  // Nobody but a replica can send them, and there is no stranger among those.
  largest: () => [],
  run(bytes) {
    const remote = new RemoteProxies({
      metrics: () => undefined,
      logger: silentLogger,
      fewTerms: 1,
      use: { remembers: () => true, asked: () => undefined, held: () => undefined },
    });
    const conversation = remote.conversation();
    const listener = conversation.start(
      { identity: replica, expiresAt: 0, checkNodeId: () => undefined },
      () => undefined,
    );
    try {
      conversation.nodeId(Buffer.from(bytes));
      listener.message(Buffer.from(bytes));
      listener.message(Buffer.from(bytes));
    } catch (error) {
      if (!(error instanceof RefusalError)) throw error;
    }
    for (const proxy of remote.proxies()) [...proxy.versions(CLUSTER_TYPE)].forEach(String);
  },
};
