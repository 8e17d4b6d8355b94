import type { AccessLog } from '../../generated/envoy/envoy/config/accesslog/v3/accesslog_pb.js';
import { auditors, buildAuditLogger } from './audit-logger.ts';
import type { InboundShape } from './inbound-shape.ts';
import type { Carrier } from './rbac.ts';
import { type EarlyRefusal, refusalCauses } from './refusal-causes.ts';
import { buildRefusalCounters } from './refusal-counters.ts';
import { buildRefusalLoggers } from './refusal-logger.ts';

/**
 * What policies refuse is written down and counted, and what they audit written down. Most chains of a listener refuse for the same causes: for these the
 * logs are built once, and nobody alters them.
 */
export class RefusalLogs {
  private readonly shape: InboundShape;
  private readonly built = new Map<string, readonly AccessLog[]>();

  constructor(shape: InboundShape) {
    this.shape = shape;
  }

  /** The logs of a port. @param early, port as of `refusalCauses` */
  at(port: number | undefined, carrier: Carrier, early?: EarlyRefusal): readonly AccessLog[] {
    const causes = refusalCauses(this.shape, port, carrier, early);
    const auditedBy = auditors(this.shape, port, carrier);
    const key = JSON.stringify([carrier, causes, auditedBy]);
    const known = this.built.get(key);
    if (known !== undefined) return known;
    const logs = [
      ...buildRefusalLoggers(causes, carrier, this.shape.boundsRefusalLog),
      ...buildRefusalCounters(causes, carrier),
      ...(auditedBy === undefined ? [] : [buildAuditLogger(auditedBy, carrier)]),
    ];
    this.built.set(key, logs);
    return logs;
  }
}
