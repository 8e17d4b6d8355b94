import { checkPort, type Findings, isAddress } from './field-check.ts';
import { checkPortName, checkProtocol } from './port.ts';
import type { SidecarIngressListener } from './sidecar.ts';
import { checkConnectionPool } from './traffic-policy-connection-pool.ts';

/** Addresses an endpoint may have: the pod's loopback, or (all zeros) the pod's own. */
const ENDPOINT_ADDRESSES = new Set(['', '127.0.0.1', '0.0.0.0', '[::1]', '[::]']);

/** Reports ingress listeners that can't be. */
export function checkSidecarIngress(found: Findings, ingress: readonly SidecarIngressListener[]): void {
  const ports = new Set<number>();
  for (const [index, { port, bind, defaultEndpoint, tls, connectionPool }] of ingress.entries()) {
    const field = `spec.ingress[${index}]`;
    const { number = 0, name, protocol, targetPort } = port;
    checkPort(found, `${field}.port.number`, number);
    if (ports.has(number)) found.error(`${field}.port.number`, `must be unique, and ${number} is there already`);
    ports.add(number);
    if (name) checkPortName(found, `${field}.port.name`, name);
    checkProtocol(found, `${field}.port.protocol`, protocol);
    if (targetPort !== undefined) found.warn(`${field}.port.targetPort`, 'has no effect; write defaultEndpoint');
    if (bind && !isAddress(bind)) found.error(`${field}.bind`, `must be an IP address, and is "${bind}"`);
    if (defaultEndpoint) checkEndpoint(found, `${field}.defaultEndpoint`, defaultEndpoint);
    if (tls !== undefined) checkTls(found, `${field}.tls`, tls, protocol);
    if (connectionPool) checkConnectionPool(found, `${field}.connectionPool`, connectionPool);
  }
}

function checkEndpoint(found: Findings, field: string, endpoint: string): void {
  if (endpoint.startsWith('unix://')) {
    if (/^unix:\/\/[/@]./.test(endpoint) && !endpoint.endsWith('/')) return;
    found.error(field, `must be the absolute path of a socket after unix://, and is "${endpoint}"`);
    return;
  }
  const colon = endpoint.lastIndexOf(':');
  const address = endpoint.slice(0, Math.max(colon, 0));
  const port = endpoint.slice(colon + 1);
  if (colon >= 0 && ENDPOINT_ADDRESSES.has(address) && /^[0-9]{1,5}$/.test(port) && +port >= 1 && +port <= 65_535)
    return;
  found.error(field, `must be 127.0.0.1:PORT, 0.0.0.0:PORT, [::1]:PORT or [::]:PORT, and is "${endpoint}"`);
}

function checkTls(
  found: Findings,
  field: string,
  tls: NonNullable<SidecarIngressListener['tls']>,
  protocol = '',
): void {
  if (!['https', 'tls'].includes(protocol.toLowerCase())) {
    found.error(field, `must stand on a port with protocol HTTPS or TLS, and it is "${protocol}"`);
  }
  if (tls.mode === 'ISTIO_MUTUAL' || tls.mode === 'AUTO_PASSTHROUGH') {
    found.error(`${field}.mode`, `must not be ${tls.mode}, which is for gateways; write SIMPLE or MUTUAL`);
  }
}
