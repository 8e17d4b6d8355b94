import { describe, expect, test } from '@jest/globals';
import { silentLogger } from '../../kube/logger.ts';
import type { ProxyReport } from '../ads/ack-report.ts';
import type { Workload } from '../mesh/snapshot.ts';
import { RemoteProxies } from '../replicas/remote-proxies.ts';
import { encodeReport, NOTHING_TO_REPORT } from '../replicas/report-message.ts';
import { ReportQueue } from '../replicas/report-queue.ts';
import { SECRET_TYPE } from '../xds/resource.ts';
import { proxyTrust } from './proxy-trust.ts';

const VERSIONS = new Map([
  ['default', '0a1b.1789000000.77aa'],
  ['ROOTCA', 'bundle-1'],
  ['kubernetes://partner', 'secret'],
]);

const local: ProxyReport = {
  identity: { uid: 'u1', podName: 'a', namespace: 'shop', serviceAccount: 'app' },
  connected: true,
  connectedAt: 0,
  acknowledged: (typeUrl, name) => (typeUrl === SECRET_TYPE ? VERSIONS.get(name) : undefined),
  versions: (typeUrl) => (typeUrl === SECRET_TYPE ? VERSIONS : []),
  rejections: () => [{ typeUrl: SECRET_TYPE, name: 'ROOTCA', version: 'bundle-2', message: 'no' }],
};

const workload = (uid: string, name: string, proxyStarted = true) =>
  ({ uid, name, namespace: 'shop', proxyStarted }) as Workload;

function trustBy(proxy: (uid: string) => ProxyReport | undefined, workloads: readonly Workload[]) {
  const acks = { proxy, onAck: () => () => {} };
  return [...proxyTrust({ workloads: () => workloads, acks: () => acks, hearsAll: () => true }).proxies()];
}

/** The proxies of one replica as another one knows them. */
function toldOf(report: ProxyReport): RemoteProxies {
  const queue = new ReportQueue(() => report);
  queue.proxy('u1', report);
  const remote = new RemoteProxies({ metrics: () => {}, logger: silentLogger });
  const identity = { uid: 'r', podName: 'r', namespace: 'heddle-system', serviceAccount: 'x' };
  const proxy = { identity, expiresAt: 0, checkNodeId: () => {} };
  const listener = remote.conversation().start(proxy, () => {});
  for (let next = queue.next(); next; next = queue.next())
    listener.message(encodeReport({ ...NOTHING_TO_REPORT, ...next }));
  return remote;
}

const FOUND = { pod: 'shop/a', connected: true, bundle: 'bundle-1', generation: '0a1b', refusal: 'no' };

describe('what proxies have in force of trust', () => {
  test('is told of a proxy here', () => {
    expect(trustBy(() => local, [workload('u1', 'a')])).toEqual([FOUND]);
  });

  test('is told of a proxy at another replica, without serial numbers or secrets of users', () => {
    const remote = toldOf(local);
    expect(trustBy((uid) => remote.proxy(uid), [workload('u1', 'a')])).toEqual([FOUND]);
    expect([...(remote.proxy('u1')?.versions(SECRET_TYPE) ?? [])]).toEqual([
      ['default', '0a1b'],
      ['ROOTCA', 'bundle-1'],
    ]);
  });

  test('is missed of one that has started and has no stream, and not of one that starts', () => {
    const found = trustBy(() => undefined, [workload('u1', 'a'), workload('u2', 'b', false)]);
    expect(found).toEqual([{ pod: 'shop/a', connected: false }]);
  });
});
