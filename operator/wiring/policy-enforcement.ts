import type { AckReport } from '../ads/ack-report.ts';
import type { EnforcementSource } from '../status/enforcement.ts';
import { INBOUND_LISTENER } from '../xds/names.ts';
import { LISTENER_TYPE, type ProxyIdentity, type XdsResource } from '../xds/resource.ts';

/** What is looked up of the cache. */
interface ResourceLookup {
  lookup(proxy: ProxyIdentity, typeUrl: string, name: string): XdsResource | undefined;
}

/**
 * A policy on a workload's inbound side is in force on its proxy when that has acknowledged the newest version of its inbound
 * listener: what the policy says stands in there and nowhere else.
 */
export function policyEnforcement(acks: AckReport, resources: ResourceLookup): EnforcementSource {
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
    onChange: (listener) => acks.onAck(listener),
  };
}
