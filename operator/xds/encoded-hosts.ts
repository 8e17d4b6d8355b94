import { toBinary } from '@bufbuild/protobuf';
import {
  type VirtualHost,
  VirtualHostSchema,
} from '../../generated/envoy/envoy/config/route/v3/route_components_pb.js';
import { contentHash, encodeField } from './encoding.ts';

/** Field number of `RouteConfiguration.virtual_hosts`. */
const VIRTUAL_HOSTS_FIELD = 2;

/** Virtual hosts, ready to stand in a route configuration. */
export interface EncodedHosts {
  /** Tag, length and message of each. */
  readonly fields: readonly Uint8Array[];
  readonly hash: string;
  /** All their domains. */
  readonly domains: readonly string[];
}

/** Encodes the virtual hosts of a hostname. */
export function encodeHosts(hosts: readonly VirtualHost[]): EncodedHosts {
  const bytes = hosts.map((host) => toBinary(VirtualHostSchema, host));
  return {
    fields: bytes.map((host) => encodeField(VIRTUAL_HOSTS_FIELD, host)),
    hash: contentHash(...bytes),
    domains: hosts.flatMap(({ domains }) => domains),
  };
}
