import { toBinary } from '@bufbuild/protobuf';
import {
  type VirtualHost,
  VirtualHostSchema,
} from '../../generated/envoy/envoy/config/route/v3/route_components_pb.js';
import { encodeResource } from './encoding.ts';
import { VIRTUAL_HOST_TYPE, type XdsResource } from './resource.ts';

/** The virtual hosts of a hostname on a port. */
export interface EncodedHosts {
  /** None where other hostnames have all their domains. */
  readonly resources: readonly XdsResource[];
  /** All their domains. */
  readonly domains: readonly string[];
}

/** Encodes virtual hosts, each a resource of its own. */
export function encodeHosts(hosts: readonly VirtualHost[]): EncodedHosts {
  return {
    resources: hosts.map(encodeVirtualHost),
    domains: hosts.flatMap(({ domains }) => domains),
  };
}

/** Encodes a virtual host. Envoy wants the resource's name to be the host's. */
export function encodeVirtualHost(host: VirtualHost): XdsResource {
  return encodeResource(VIRTUAL_HOST_TYPE, host.name, toBinary(VirtualHostSchema, host));
}
