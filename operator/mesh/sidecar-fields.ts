import type { SidecarEgressListener, SidecarIngressListener, SidecarSpec } from '../../api/sidecar.ts';
import type { ConnectionPool } from '../../api/traffic-policy-connection-pool.ts';
import { protocolOf } from './protocol.ts';
import type { EgressListener, ImportedHosts } from './sidecar-scope.ts';
import type { AppProtocol, InboundPort, OutboundPolicy } from './snapshot.ts';

/** What a Sidecar says of the inbound side of the workloads it applies to. */
export interface SidecarInbound {
  /** Take the place of what Services and containers declare; none: they count. */
  readonly listeners: readonly InboundPort[];
  /** For ports that have none of their own. */
  readonly connectionPool?: ConnectionPool;
}

/** Address that stands for the one the caller used. */
const ANY_ADDRESS = '0.0.0.0';
const LOOPBACK = '127.0.0.1';
const WILDCARDS = new Set(['', '0.0.0.0', '::', '[::]']);

/**
 * The egress listeners of a valid spec. Listeners on Unix domain sockets are left out.
 * @param home what `.` stands for
 */
export function readEgress({ egress = [] }: SidecarSpec, home: string): EgressListener[] {
  return egress.flatMap(({ port, bind = '', captureMode = 'DEFAULT', hosts }) => {
    const imported = hosts.flatMap((host) => readHost(host, home));
    if (port === undefined) return [{ hosts: imported }];
    const { number = 0, protocol, name = '' } = port;
    if (number === 0) return [];
    const address = captureMode === 'NONE' ? bind || LOOPBACK : isOwnAddress(captureMode, bind) ? bind : '';
    return [
      {
        port: { number, protocol: readProtocol(protocol, number), name },
        ...(address === '' ? {} : { bind: address }),
        hosts: imported,
      },
    ];
  });
}

/** The inbound side of a valid spec. */
export function readInbound({ ingress = [], inboundConnectionPool }: SidecarSpec): SidecarInbound {
  const listeners = ingress.map(readIngress).filter(({ protocol }) => protocol !== 'udp');
  return { listeners, ...(inboundConnectionPool === undefined ? {} : { connectionPool: inboundConnectionPool }) };
}

/** What becomes of connections to unknown hosts; REGISTRY_ONLY is what Istio takes a missing mode for. */
export function readOutboundPolicy({ outboundTrafficPolicy }: SidecarSpec): OutboundPolicy | undefined {
  return outboundTrafficPolicy && (outboundTrafficPolicy.mode ?? 'REGISTRY_ONLY');
}

/** Ways to take connections that are not in force, for only redirected ones are taken; what remains is said besides. */
export function noteCapture({ ingress = [], egress = [] }: SidecarSpec): string[] {
  const redirected = 'connections are redirected to the sidecar';
  const notes: string[] = [];
  for (const [index, { captureMode, bind = '' }] of ingress.entries()) {
    const field = `spec.ingress[${index}]`;
    if (captureMode === 'NONE') notes.push(`${field}.captureMode is not in force: ${redirected} as on other ports.`);
    else if (!WILDCARDS.has(bind))
      notes.push(`${field}.bind is not in force: ${redirected} at whatever address they are for.`);
  }
  for (const [index, listener] of egress.entries()) {
    const { port, captureMode = 'DEFAULT', bind = '' } = listener;
    const field = `spec.egress[${index}]`;
    if (isSocket(listener)) continue;
    if (port === undefined && (captureMode === 'NONE' || bind !== '')) {
      notes.push(
        `${field}.${bind === '' ? 'captureMode' : 'bind'} is not in force without a port: ${redirected}. Add a port.`,
      );
    } else if (bind !== '' && captureMode !== 'NONE' && !isOwnAddress(captureMode, bind)) {
      notes.push(`${field}.bind is not in force: ${redirected}. Write captureMode NONE to have it listen there.`);
    }
  }
  return notes;
}

/** A loopback address can't be redirected to, so it must be listened on. */
function isOwnAddress(captureMode: string, bind: string): boolean {
  return captureMode === 'DEFAULT' && (bind === '::1' || bind.startsWith('127.'));
}

function isSocket({ bind = '' }: SidecarEgressListener): boolean {
  return bind.startsWith('unix:');
}

function readHost(host: string, home: string): ImportedHosts[] {
  const slash = host.indexOf('/');
  const namespace = host.slice(0, slash);
  if (namespace === '~') return [];
  const name = host
    .slice(slash + 1)
    .toLowerCase()
    .replace(/\.$/, '');
  return [{ namespace: namespace === '.' ? home : namespace, host: name }];
}

function readIngress({ port, defaultEndpoint = '', connectionPool }: SidecarIngressListener): InboundPort {
  const number = port.number ?? 0;
  const target = readTarget(defaultEndpoint, number);
  return {
    port: number,
    protocol: readProtocol(port.protocol, number),
    ...(target === undefined ? {} : { target }),
    ...(connectionPool === undefined ? {} : { connectionPool }),
  };
}

/** Undefined where the application listens on the port itself, at the address the caller used. */
function readTarget(endpoint: string, number: number): InboundPort['target'] {
  if (endpoint === '' || endpoint.startsWith('unix:')) return undefined;
  const colon = endpoint.lastIndexOf(':');
  const address = endpoint.slice(0, colon);
  const port = Number(endpoint.slice(colon + 1));
  if (!WILDCARDS.has(address)) return { address: address.replace(/^\[|\]$/g, ''), port };
  return port === number ? undefined : { address: ANY_ADDRESS, port };
}

function readProtocol(protocol: string | undefined, number: number): AppProtocol {
  return protocolOf({ appProtocol: protocol?.toLowerCase() || undefined, numbers: [number] });
}
