import { create } from '@bufbuild/protobuf';
import {
  type RouteAction_HashPolicy,
  RouteAction_HashPolicySchema,
} from '../../generated/envoy/envoy/config/route/v3/route_components_pb.js';
import { milliseconds } from './encoding.ts';

/** What of a request chooses its endpoint (DestinationRule, `consistentHash`), or its side of a split. */
export type HashPolicy = HashKey & {
  /** Where a request has it, what comes after is not looked at. */
  readonly terminal?: true;
};

type HashKey =
  | { readonly kind: 'header'; readonly name: string }
  | {
      readonly kind: 'cookie';
      readonly name: string;
      readonly path?: string;
      /** With it Envoy sets the cookie where a request has none; 0: until the browser ends. */
      readonly ttlMs?: number;
      /** Further attributes of a cookie that Envoy sets, name and value. */
      readonly attributes?: readonly (readonly [string, string])[];
    }
  | { readonly kind: 'source-ip' }
  | { readonly kind: 'query'; readonly name: string };

/** Envoy's form; equal policies, as of several backends, count once. All of them together make the hash. */
export function buildHashPolicies(policies: readonly HashPolicy[]): RouteAction_HashPolicy[] {
  const distinct = new Map(policies.map((policy) => [JSON.stringify(policy), policy]));
  return [...distinct.values()].map((policy) =>
    create(RouteAction_HashPolicySchema, {
      policySpecifier: policySpecifier(policy),
      terminal: policy.terminal ?? false,
    }),
  );
}

function policySpecifier(policy: HashPolicy) {
  switch (policy.kind) {
    case 'header':
      return { case: 'header', value: { headerName: policy.name } } as const;
    case 'cookie':
      return {
        case: 'cookie',
        value: {
          name: policy.name,
          path: policy.path ?? '',
          ...(policy.ttlMs === undefined ? {} : { ttl: milliseconds(policy.ttlMs) }),
          attributes: (policy.attributes ?? []).map(([name, value]) => ({ name, value })),
        },
      } as const;
    case 'query':
      return { case: 'queryParameter', value: { name: policy.name } } as const;
    default:
      return { case: 'connectionProperties', value: { sourceIp: true } } as const;
  }
}
