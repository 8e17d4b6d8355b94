/** Type URL prefix of Envoy's extension messages. */
const EXTENSIONS = 'type.googleapis.com/envoy.extensions';

/** An object of Envoy's configuration, in the JSON form of its protobuf message. */
export type EnvoyConfig = Readonly<Record<string, unknown>>;

/** A named extension: `{name, typed_config}` with the message's fields. */
export function extension(name: string, message: string, fields: EnvoyConfig = {}): EnvoyConfig {
  return { name, typed_config: typed(message, fields) };
}

/** A message of an extension with its type URL; `message` is relative to `envoy.extensions`. */
export function typed(message: string, fields: EnvoyConfig = {}): EnvoyConfig {
  return { '@type': `${EXTENSIONS}.${message}`, ...fields };
}

export function socketAddress(address: string, port: number): EnvoyConfig {
  return { socket_address: { address, port_value: port } };
}

/** `load_assignment` with one address. */
export function oneEndpoint(cluster: string, address: string, port: number): EnvoyConfig {
  return {
    cluster_name: cluster,
    endpoints: [{ lb_endpoints: [{ endpoint: { address: socketAddress(address, port) } }] }],
  };
}
