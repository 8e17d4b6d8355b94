import { create, type JsonObject } from '@bufbuild/protobuf';
import type { AccessLog } from '../../generated/envoy/envoy/config/accesslog/v3/accesslog_pb.js';
import type { Filter } from '../../generated/envoy/envoy/config/listener/v3/listener_components_pb.js';
import {
  type FilterStateValue,
  FilterStateValueSchema,
} from '../../generated/envoy/envoy/extensions/filters/common/set_filter_state/v3/value_pb.js';
import { ConfigSchema } from '../../generated/envoy/envoy/extensions/filters/network/set_filter_state/v3/set_filter_state_pb.js';
import type { ObjectRef } from '../mesh/object-ref.ts';
import { buildJsonLines } from './access-log.ts';
import { matching } from './access-log-filters.ts';
import { buildNetworkFilter } from './network-filter.ts';
import { withinBudget } from './refusal-budget-filter.ts';
import { buildRefusalCounter } from './refusal-counters.ts';
import { buildCountersLogger } from './stats-logger.ts';

/** Keys of what a connection is marked with: whose limit it is held against. */
const NAMESPACE = 'heddle.limit.namespace';
const NAME = 'heddle.limit.name';
const KIND = 'RateLimitPolicy';

/** Whose limit closed a connection: the mark of who passed them all is empty, and where there are no limits there is none. */
const CLOSED_BY_LIMIT = `filter_state['${NAME}'] != b''`;

const FIELDS: JsonObject = {
  start_time: '%START_TIME%',
  source: '%DOWNSTREAM_REMOTE_ADDRESS%',
  destination: '%DOWNSTREAM_LOCAL_ADDRESS%',
  decided_by: `${KIND} ${read(NAMESPACE)}/${read(NAME)}`,
  details: '%DOWNSTREAM_LOCAL_CLOSE_REASON%',
};

/**
 * Marks a connection with the policy whose limits it comes to next. One that is over them gets no further, so that this is the policy that closed it.
 * @param policy undefined: it passed them all
 */
export function buildLimitMark(policy: Pick<ObjectRef, 'namespace' | 'name'> | undefined): Filter {
  const marks = policy === undefined ? [mark(NAME, '')] : [mark(NAMESPACE, policy.namespace), mark(NAME, policy.name)];
  const config = create(ConfigSchema, { onNewConnection: marks });
  return buildNetworkFilter('envoy.filters.network.set_filter_state', ConfigSchema, config);
}

/**
 * The listener's own logs, which write down and count connections that limits close. Those of filters don't hear of them where HTTP is carried. They are the
 * same whatever limits there are, for a listener whose logs change drains the connections of all its ports.
 * @param isBounded no more lines than there is a budget for
 */
export function buildConnectionRefusalLogs(isBounded: boolean): AccessLog[] {
  const closed = matching(CLOSED_BY_LIMIT);
  const counter = buildRefusalCounter({ kind: KIND, namespace: read(NAMESPACE), name: read(NAME) }, 'connection_limit');
  return [buildJsonLines(FIELDS, isBounded ? withinBudget(closed) : closed), buildCountersLogger([counter], closed)];
}

function read(key: string): string {
  return `%FILTER_STATE(${key}:PLAIN)%`;
}

function mark(objectKey: string, text: string): FilterStateValue {
  return create(FilterStateValueSchema, {
    key: { case: 'objectKey', value: objectKey },
    factoryKey: 'envoy.string',
    value: {
      case: 'formatString',
      value: { format: { case: 'textFormatSource', value: { specifier: { case: 'inlineString', value: text } } } },
    },
  });
}
