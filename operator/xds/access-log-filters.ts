import { create, type DescMessage, type MessageShape } from '@bufbuild/protobuf';
import {
  type AccessLogFilter,
  AccessLogFilterSchema,
} from '../../generated/envoy/envoy/config/accesslog/v3/accesslog_pb.js';
import { ExpressionFilterSchema } from '../../generated/envoy/envoy/extensions/access_loggers/filters/cel/v3/cel_pb.js';
import { pack } from './encoding.ts';

/** Lets through what all of them let through; they are asked in that order. */
export function allOf(...filters: AccessLogFilter[]): AccessLogFilter {
  return create(AccessLogFilterSchema, { filterSpecifier: { case: 'andFilter', value: { filters } } });
}

/** Lets through what one of them does, of which there are two or more. */
export function anyOf(...filters: AccessLogFilter[]): AccessLogFilter {
  return create(AccessLogFilterSchema, { filterSpecifier: { case: 'orFilter', value: { filters } } });
}

/** Lets through what has one of these response flags. */
export function flagged(flags: string[]): AccessLogFilter {
  return create(AccessLogFilterSchema, { filterSpecifier: { case: 'responseFlagFilter', value: { flags } } });
}

/** Lets through what an expression (CEL) is true of. */
export function matching(expression: string): AccessLogFilter {
  return buildExtensionFilter('cel', ExpressionFilterSchema, create(ExpressionFilterSchema, { expression }));
}

/** A filter that is an extension of Envoy, by the last part of its name. */
export function buildExtensionFilter<Desc extends DescMessage>(
  name: string,
  schema: Desc,
  config: MessageShape<Desc>,
): AccessLogFilter {
  return create(AccessLogFilterSchema, {
    filterSpecifier: {
      case: 'extensionFilter',
      value: {
        name: `envoy.access_loggers.extension_filters.${name}`,
        configType: { case: 'typedConfig', value: pack(schema, config) },
      },
    },
  });
}
