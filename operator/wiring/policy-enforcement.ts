import { AUTHORIZATION_POLICY_KIND } from '../../api/authorization-policy.ts';
import { PEER_AUTHENTICATION_KIND } from '../../api/peer-authentication.ts';
import { RATE_LIMIT_POLICY_KIND } from '../../api/rate-limit-policy.ts';
import { REQUEST_AUTHENTICATION_KIND } from '../../api/request-authentication.ts';
import { TELEMETRY_KIND } from '../../api/telemetry.ts';
import { METRICS_PAGE_CLUSTER } from '../../proxy/names.ts';
import type { AckReport, ProxyReport, RejectedResource } from '../ads/ack-report.ts';
import type { ObjectKey } from '../mesh/object-ref.ts';
import type { Workload, WorkloadUid } from '../mesh/snapshot.ts';
import type { EnforcementSource } from '../status/enforcement.ts';
import { INBOUND_LISTENER } from '../xds/names.ts';
import type { PolicyCarriers, ResourceName } from '../xds/policy-carriers.ts';
import { CLUSTER_TYPE, LISTENER_TYPE, type ProxyIdentity, type XdsResource } from '../xds/resource.ts';

/** Kinds of policies that stand on the inbound side. */
const OF_SERVERS = [
  PEER_AUTHENTICATION_KIND,
  AUTHORIZATION_POLICY_KIND,
  REQUEST_AUTHENTICATION_KIND,
  RATE_LIMIT_POLICY_KIND,
];

/** What is looked up of the cache. */
interface ResourceLookup {
  lookup(proxy: ProxyIdentity, typeUrl: string, name: string): XdsResource | undefined;
}

/** What a policy of one sort has become on proxies. */
type Standing = Pick<EnforcementSource, 'inForce' | 'rejection'>;

/**
 * Tells what proxies have put in force of any policy.
 * @param workloads those of the newest snapshot, by UID
 */
export function policyEnforcement(
  acks: AckReport,
  resources: ResourceLookup & PolicyCarriers,
  workloads: (uid: WorkloadUid) => Workload | undefined,
): EnforcementSource {
  const inbound = inboundStanding(acks, resources);
  const callers = callerStanding(acks, resources, workloads);
  const told = toldStanding(inbound, callers, pageStanding(acks, resources));
  const standingOf = (policy: ObjectKey): Standing => {
    if (policy.startsWith(`${TELEMETRY_KIND}/`)) return told;
    return OF_SERVERS.some((kind) => policy.startsWith(`${kind}/`)) ? inbound : callers;
  };
  return {
    inForce: (uid, policy) => standingOf(policy).inForce(uid, policy),
    rejection: (uid, policy) => standingOf(policy).rejection(uid, policy),
    reports: (uid) => acks.proxy(uid)?.connected === true,
    refuses: (uid) => nameRejections(acks.proxy(uid)?.rejections() ?? []),
    onChange: (listener) => acks.onAck(listener),
  };
}

/**
 * A policy on a workload's inbound side is in force on its proxy when that has acknowledged the newest version of its inbound
 * listener: what the policy says stands in there and nowhere else.
 */
function inboundStanding(acks: AckReport, resources: ResourceLookup): Standing {
  const newest = (identity: ProxyIdentity): string | undefined =>
    resources.lookup(identity, LISTENER_TYPE, INBOUND_LISTENER)?.version;
  return {
    inForce: (uid) => {
      const report = acks.proxy(uid);
      if (report === undefined || !report.connected) return 'unknown';
      const version = newest(report.identity);
      return version !== undefined && report.acknowledged(LISTENER_TYPE, INBOUND_LISTENER) === version;
    },
    rejection: (uid) => {
      const report = acks.proxy(uid);
      if (report === undefined) return undefined;
      const version = newest(report.identity);
      const refused = report
        .rejections()
        .find(
          ({ typeUrl, name, version: of }) => typeUrl === LISTENER_TYPE && name === INBOUND_LISTENER && of === version,
        );
      return refused?.message;
    },
  };
}

/** How the page of metrics differs from everybody's is in force with the cluster that tells it. */
function pageStanding(acks: AckReport, resources: ResourceLookup): Pick<Standing, 'inForce'> {
  return {
    inForce: (uid) => {
      const report = acks.proxy(uid);
      if (report === undefined || !report.connected) return 'unknown';
      const newest = resources.lookup(report.identity, CLUSTER_TYPE, METRICS_PAGE_CLUSTER)?.version;
      return newest === undefined || report.acknowledged(CLUSTER_TYPE, METRICS_PAGE_CLUSTER) === newest;
    },
  };
}

/** What is told of requests stands on both sides, on that of callers where it tells anything. */
function toldStanding(inbound: Standing, callers: Standing, page: Pick<Standing, 'inForce'>): Standing {
  return {
    inForce: (uid, policy) => {
      const shown = page.inForce(uid, policy);
      const asServer = shown === true ? inbound.inForce(uid, policy) : shown;
      if (asServer !== true) return asServer;
      const asCaller = callers.inForce(uid, policy);
      return asCaller === 'unused' ? true : asCaller;
    },
    rejection: (uid, policy) => inbound.rejection(uid, policy) ?? callers.rejection(uid, policy),
  };
}

/** A policy of callers is in force on a proxy when this has acknowledged it in every resource in which it stands there. */
function callerStanding(
  acks: AckReport,
  carriers: PolicyCarriers,
  workloads: (uid: WorkloadUid) => Workload | undefined,
): Standing {
  return {
    inForce: (uid, policy) => {
      const report = acks.proxy(uid);
      const identity = report?.identity ?? identityOf(workloads(uid));
      const resources = identity === undefined ? [] : carriers.carriersOf(identity, policy);
      if (resources.length === 0) return 'unused';
      if (report === undefined || !report.connected) return 'unknown';
      return hasAcknowledged(report, carriers, policy, resources);
    },
    rejection: (uid, policy) => {
      const report = acks.proxy(uid);
      const rejections = report?.rejections() ?? [];
      if (report === undefined || rejections.length === 0) return undefined;
      const resources = carriers.carriersOf(report.identity, policy);
      const refused = rejections.find(({ typeUrl, name, version }) => {
        const resource = resources.find((one) => one.typeUrl === typeUrl && one.name === name);
        // A refusal of what the policy said before says nothing about what it says now.
        return resource !== undefined && carriers.isCurrent(report.identity, policy, resource, version);
      });
      return refused?.message;
    },
  };
}

/** Whether a proxy has acknowledged a policy as it is now in all of some resources. */
function hasAcknowledged(
  report: ProxyReport,
  carriers: PolicyCarriers,
  policy: ObjectKey,
  resources: readonly ResourceName[],
): boolean {
  return resources.every((resource) =>
    carriers.isCurrent(report.identity, policy, resource, report.acknowledged(resource.typeUrl, resource.name)),
  );
}

/** Who a pod's proxy will be once it asks. */
function identityOf(workload: Workload | undefined): ProxyIdentity | undefined {
  if (workload === undefined) return undefined;
  const { uid, name, namespace, serviceAccount } = workload;
  return { uid, podName: name, namespace, serviceAccount };
}

function nameRejections(rejections: readonly RejectedResource[]): string {
  return rejections.map(({ typeUrl, name, version }) => `${typeUrl} ${name} ${version}`).join('\n');
}
