import type { AppProtocol } from './snapshot.ts';

/** What a port says of itself. */
export interface DeclaredPort {
  readonly name?: string | undefined;
  /** Transport: TCP (default), UDP, SCTP. */
  readonly protocol?: string | undefined;
  readonly appProtocol?: string | undefined;
  /** Numbers by which a well-known protocol may be recognised: the port and its target. */
  readonly numbers: readonly number[];
}

const BY_NAME: ReadonlyMap<string, AppProtocol> = new Map([
  ['http', 'http'],
  ['http_proxy', 'http'],
  ['http2', 'http2'],
  ['h2c', 'http2'],
  ['grpc', 'grpc'],
  ['tcp', 'tcp'],
  ['tls', 'tls'],
  ['https', 'tls'],
  ['mongo', 'tcp'],
  ['mysql', 'tcp'],
  ['redis', 'tcp'],
  ['udp', 'udp'],
]);

/** The names Kubernetes itself defines for `appProtocol` (KEP 3726). */
const KUBERNETES_NAMES: ReadonlyMap<string, AppProtocol> = new Map([
  ['kubernetes.io/h2c', 'http2'],
  ['kubernetes.io/ws', 'http'],
  ['kubernetes.io/wss', 'tls'],
]);

/**
 * Here the server speaks first (FTP, SSH, SMTP, POP3, IMAP, MySQL, NATS, MongoDB), or the protocol is known not to be HTTP
 * (DNS): sniffing would wait in vain for the client's first bytes.
 */
const NOT_SNIFFED = new Set([21, 22, 25, 53, 110, 143, 587, 3306, 4222, 27017]);

/**
 * Protocol of a port, as Istio selects it: `appProtocol`, else the prefix of the port's name, else well-known
 * server-first ports are TCP and everything else is sniffed.
 */
export function protocolOf(port: DeclaredPort): AppProtocol {
  if (port.protocol !== undefined && port.protocol !== 'TCP') return 'udp';
  const declared = (port.appProtocol ?? port.name ?? '').toLowerCase();
  // The one name with a hyphen of its own. Envoy treats it as gRPC upstream, as Istio does.
  if (declared.startsWith('grpc-web')) return 'grpc';
  const named = KUBERNETES_NAMES.get(declared) ?? BY_NAME.get(declared.split('-', 1)[0] ?? '');
  if (named !== undefined) return named;
  return port.numbers.some((number) => NOT_SNIFFED.has(number)) ? 'tcp' : 'auto';
}

/** A port whose connections may be HTTP, as declared or as sniffed. */
export function isHttp(protocol: AppProtocol): boolean {
  return protocol === 'auto' || isDeclaredHttp(protocol);
}

/** A port declared as HTTP of some kind. */
export function isDeclaredHttp(protocol: AppProtocol): boolean {
  return protocol === 'http' || protocol === 'http2' || protocol === 'grpc';
}

/** A port whose connections may be opaque bytes. */
export function isTcp(protocol: AppProtocol): boolean {
  return protocol === 'tcp' || protocol === 'tls' || protocol === 'auto';
}
