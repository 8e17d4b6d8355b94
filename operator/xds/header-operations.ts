import { create } from '@bufbuild/protobuf';
import {
  HeaderValueOption_HeaderAppendAction as AppendAction,
  type HeaderValueOption,
  HeaderValueOptionSchema,
} from '../../generated/envoy/envoy/config/core/v3/base_pb.js';
import type { HeaderOperations, HeaderRules } from '../mesh/route-rule.ts';

/** The four fields of that name which Envoy's Route and ClusterWeight have alike. */
export interface HeaderMutations {
  readonly requestHeadersToAdd: HeaderValueOption[];
  readonly requestHeadersToRemove: string[];
  readonly responseHeadersToAdd: HeaderValueOption[];
  readonly responseHeadersToRemove: string[];
}

/**
 * What is done to the headers of requests and responses: removed, then set, then added to, one list of rules after the other. The host is none of
 * these (see `requestedHost`), and Envoy refuses pseudo-headers here.
 */
export function buildHeaderMutations(...lists: readonly (HeaderRules | undefined)[]): HeaderMutations {
  const rules = lists.filter((list) => list !== undefined);
  return {
    requestHeadersToAdd: rules.flatMap(({ request }) => buildAdditions(request)),
    requestHeadersToRemove: rules.flatMap(({ request }) => request.remove.filter(isMutable)),
    responseHeadersToAdd: rules.flatMap(({ response }) => buildAdditions(response)),
    responseHeadersToRemove: rules.flatMap(({ response }) => response.remove.filter(isMutable)),
  };
}

/** The host that the rules give requests; undefined: the client's. Setting it wins over adding it, as in Istio. */
export function requestedHost(rules: HeaderRules | undefined): string | undefined {
  const entries = rules === undefined ? [] : [...rules.request.set, ...rules.request.add];
  const host = entries.find(([name]) => isHost(name))?.[1];
  return host === '' ? undefined : host;
}

function buildAdditions({ set, add }: HeaderOperations): HeaderValueOption[] {
  return [
    ...set.flatMap(([name, value]) => buildAddition(name, value, AppendAction.OVERWRITE_IF_EXISTS_OR_ADD)),
    ...add.flatMap(([name, value]) => buildAddition(name, value, AppendAction.APPEND_IF_EXISTS_OR_ADD)),
  ];
}

function buildAddition(key: string, value: string, appendAction: AppendAction): HeaderValueOption[] {
  return isMutable(key) ? [create(HeaderValueOptionSchema, { header: { key, value }, appendAction })] : [];
}

function isHost(name: string): boolean {
  const lower = name.toLowerCase();
  return lower === 'host' || lower === ':authority';
}

function isMutable(name: string): boolean {
  return !name.startsWith(':') && !isHost(name);
}
