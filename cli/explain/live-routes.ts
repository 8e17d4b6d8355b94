import { createRegistry, equals, fromBinary, fromJson, type JsonValue } from '@bufbuild/protobuf';
import { VirtualHostSchema } from '../../generated/envoy/envoy/config/route/v3/route_components_pb.js';
import { CorsPolicySchema } from '../../generated/envoy/envoy/extensions/filters/http/cors/v3/cors_pb.js';
import { HTTPFaultSchema } from '../../generated/envoy/envoy/extensions/filters/http/fault/v3/fault_pb.js';
import { PreviousHostsPredicateSchema } from '../../generated/envoy/envoy/extensions/retry/host/previous_hosts/v3/previous_hosts_pb.js';
import { PreviousPrioritiesConfigSchema } from '../../generated/envoy/envoy/extensions/retry/priority/previous_priorities/v3/previous_priorities_config_pb.js';
import { ResourceSchema } from '../../generated/envoy/envoy/service/discovery/v3/discovery_pb.js';

/** Messages that stand in routes of ours as `Any`. */
const REGISTRY = createRegistry(
  CorsPolicySchema,
  HTTPFaultSchema,
  PreviousHostsPredicateSchema,
  PreviousPrioritiesConfigSchema,
);

/**
 * Whether a virtual host is the one that a resource holds. Envoy tells no versions of these, so what is in them is compared.
 * @param resource as the operator sends it
 * @param held as Envoy's admin interface shows it
 * @returns false as well for what can't be read
 */
export function sameVirtualHost(resource: Uint8Array, held: unknown): boolean {
  const wanted = fromBinary(
    VirtualHostSchema,
    fromBinary(ResourceSchema, resource).resource?.value ?? new Uint8Array(),
  );
  try {
    const own = fromJson(VirtualHostSchema, held as JsonValue, { registry: REGISTRY, ignoreUnknownFields: true });
    return equals(VirtualHostSchema, own, wanted, { registry: REGISTRY, unpackAny: true });
  } catch {
    return false;
  }
}
