import { create } from '@bufbuild/protobuf';
import type { AccessLog } from '../../generated/envoy/envoy/config/accesslog/v3/accesslog_pb.js';
import {
  type Config_Counter,
  ConfigSchema,
} from '../../generated/envoy/envoy/extensions/access_loggers/stats/v3/stats_pb.js';
import { REFUSED_METRIC } from '../../proxy/names.ts';
import type { ObjectRef } from '../mesh/object-ref.ts';
import { buildAccessLog } from './access-log.ts';
import type { Carrier } from './rbac.ts';
import type { RefusalCause, RefusalReason } from './refusal-causes.ts';
import { refusedBy } from './refusal-filter.ts';
import { buildCounter, buildTags } from './stats-logger.ts';

/**
 * Counts what policies refuse: of each policy that a port has one series per cause, whatever callers send, so that a policy's series are as many as the
 * ways in which it refuses. Where Envoy does not tell which of several policies it was, each counts, and `among` says of how many it is one.
 */
export function buildRefusalCounters(causes: readonly RefusalCause[], carrier: Carrier): AccessLog[] {
  return causes.flatMap(({ reason, counted }) =>
    counted.map(({ refs, signs }) => {
      const counters = refs.map((ref) => buildRefusalCounter(ref, reason, refs.length));
      const config = create(ConfigSchema, { statsScope: {}, counters });
      return buildAccessLog('stats', ConfigSchema, config, refusedBy(signs, carrier));
    }),
  );
}

/** The counter of what a policy refuses in one way. @param among of so many policies it was one */
export function buildRefusalCounter(
  { kind, namespace, name }: ObjectRef,
  reason: RefusalReason,
  among = 1,
): Config_Counter {
  return buildCounter(REFUSED_METRIC, buildTags({ kind, namespace, name, reason, among: String(among) }), 1n);
}
