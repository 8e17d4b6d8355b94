import { ROOT_SECRET, WORKLOAD_SECRET } from '../../proxy/names.ts';
import type { AckReport } from '../ads/ack-report.ts';
import type { ProxyTrust, ProxyTrustSource } from '../certificates/trust-survey.ts';
import type { Workload } from '../mesh/snapshot.ts';
import { SECRET_TYPE } from '../xds/resource.ts';

/** What is asked; functions, as some of it is made after the certificates that ask. */
export interface ProxyTrustPorts {
  /** Pods with a sidecar. */
  readonly workloads: () => Iterable<Workload>;
  /** Of proxies at any replica. */
  readonly acks: () => Pick<AckReport, 'proxy' | 'onAck'>;
  /** Whether every other replica that serves reports here. */
  readonly hearsAll: () => boolean;
}

/**
 * Tells what the proxies of the mesh have in force of trust and identity. One that has not started yet has nothing, and is given what counts then; one
 * that has a stream counts whether it is said to have started or not.
 */
export function proxyTrust({ workloads, acks, hearsAll }: ProxyTrustPorts): ProxyTrustSource {
  return {
    *proxies() {
      for (const workload of workloads()) {
        const found = trustOf(workload, acks());
        if (found !== undefined) yield found;
      }
    },
    whole: hearsAll,
    onChange: (listener) => acks().onAck(listener),
  };
}

function trustOf(
  { uid, namespace, name, proxyStarted }: Workload,
  acks: Pick<AckReport, 'proxy'>,
): ProxyTrust | undefined {
  const report = acks.proxy(uid);
  const pod = `${namespace}/${name}`;
  if (report?.connected !== true) return proxyStarted === true ? { pod, connected: false } : undefined;
  const isOurs = (secret: string): boolean => secret === ROOT_SECRET || secret === WORKLOAD_SECRET;
  const refused = report.rejections().find(({ typeUrl, name: of }) => typeUrl === SECRET_TYPE && isOurs(of));
  return {
    pod,
    connected: true,
    bundle: report.acknowledged(SECRET_TYPE, ROOT_SECRET),
    // Of proxies at other replicas nothing more than that is told.
    generation: report.acknowledged(SECRET_TYPE, WORKLOAD_SECRET)?.split('.')[0],
    refusal: refused?.message,
  };
}
