import { create } from '@bufbuild/protobuf';
import { type Address, AddressSchema } from '../../generated/envoy/envoy/config/core/v3/address_pb.js';
import {
  type AdditionalAddress,
  AdditionalAddressSchema,
} from '../../generated/envoy/envoy/config/listener/v3/listener_pb.js';

/** The addresses a listener binds: IPv6 only for pods that have an IPv6 address, as the kernel may have none. */
export function bindAddresses(
  port: number,
  dualStack: boolean,
): { address: Address; additionalAddresses: AdditionalAddress[] } {
  const additional = dualStack ? [create(AdditionalAddressSchema, { address: socketAddress('::', port) })] : [];
  return { address: socketAddress('0.0.0.0', port), additionalAddresses: additional };
}

function socketAddress(address: string, port: number): Address {
  return create(AddressSchema, {
    address: { case: 'socketAddress', value: { address, portSpecifier: { case: 'portValue', value: port } } },
  });
}
