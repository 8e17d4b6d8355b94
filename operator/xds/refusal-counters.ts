import { create } from '@bufbuild/protobuf';
import type { AccessLog } from '../../generated/envoy/envoy/config/accesslog/v3/accesslog_pb.js';
import { ConfigSchema } from '../../generated/envoy/envoy/extensions/access_loggers/stats/v3/stats_pb.js';
import { REFUSED_METRIC } from '../../proxy/names.ts';
import { buildAccessLog } from './access-log.ts';
import type { Carrier } from './rbac.ts';
import type { RefusalCause } from './refusal-causes.ts';
import { refusedBy } from './refusal-filter.ts';
import { buildTags } from './stats-logger.ts';

/**
 * Counts what policies refuse: of each policy that a port has one series per cause, whatever callers send, so that a policy's series are as many as the
 * ways in which it refuses. Where Envoy does not tell which of several policies it was, each counts, and `among` says of how many it is one.
 */
export function buildRefusalCounters(causes: readonly RefusalCause[], carrier: Carrier): AccessLog[] {
  return causes.flatMap(({ reason, counted }) =>
    counted.map(({ refs, signs }) => {
      const counters = refs.map(({ kind, namespace, name }) => {
        const tags = buildTags({ kind, namespace, name, reason, among: String(refs.length) });
        return { stat: { name: REFUSED_METRIC, tags }, valueFixed: 1n };
      });
      const config = create(ConfigSchema, { statsScope: {}, counters });
      return buildAccessLog('stats', ConfigSchema, config, refusedBy(signs, carrier));
    }),
  );
}
