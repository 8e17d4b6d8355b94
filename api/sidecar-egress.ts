import { checkPort, type Findings, isAddress, isDnsLabel, isHostOrWildcard } from './field-check.ts';
import { checkPortName, checkProtocol } from './port.ts';
import type { SidecarEgressListener } from './sidecar.ts';

/** Reports egress listeners that can't be. */
export function checkSidecarEgress(found: Findings, egress: readonly SidecarEgressListener[]): void {
  const ports = new Set<number>();
  const sockets = new Set<string>();
  const last = egress.length - 1;
  for (const [index, listener] of egress.entries()) {
    const field = `spec.egress[${index}]`;
    const { port, bind = '' } = listener;
    if (port === undefined) {
      if (index < last) found.error(`${field}.port`, 'must be set on all listeners but the last');
      if (bind !== '') checkBind(found, `${field}.bind`, bind);
    } else if ((port.number ?? 0) === 0) {
      checkSocket(found, field, listener);
      if (sockets.has(bind)) found.error(`${field}.bind`, `must be unique, and "${bind}" is there already`);
      sockets.add(bind);
    } else {
      checkListenerPort(found, field, listener, ports);
    }
    checkHosts(found, `${field}.hosts`, listener.hosts);
  }
}

function checkListenerPort(
  found: Findings,
  field: string,
  { port, bind }: SidecarEgressListener,
  seen: Set<number>,
): void {
  const { number = 0, name, protocol } = port ?? {};
  checkPort(found, `${field}.port.number`, number);
  if (name) checkPortName(found, `${field}.port.name`, name);
  checkProtocol(found, `${field}.port.protocol`, protocol);
  if (bind) checkBind(found, `${field}.bind`, bind);
  if (seen.has(number)) found.error(`${field}.port.number`, `must be unique, and ${number} is there already`);
  seen.add(number);
}

function checkBind(found: Findings, field: string, bind: string): void {
  if (!isAddress(bind)) found.error(field, `must be an IP address, and is "${bind}"`);
}

/** A listener without a number is Istio's way to say that it is a Unix domain socket. */
function checkSocket(found: Findings, field: string, { port, bind = '', captureMode }: SidecarEgressListener): void {
  checkProtocol(found, `${field}.port.protocol`, port?.protocol);
  if (!/^unix:\/\/[/@]./.test(bind)) {
    found.error(`${field}.port.number`, 'must be a port from 1 to 65535, or bind must be a Unix domain socket');
  } else if (captureMode === 'IPTABLES') {
    found.error(`${field}.captureMode`, 'must be DEFAULT or NONE for a Unix domain socket');
  }
}

function checkHosts(found: Findings, field: string, hosts: readonly string[]): void {
  if (hosts.length === 0) found.error(field, 'must name at least one host, such as "./*"; write "~/*" for none');
  const seen = new Set<string>();
  for (const [index, host] of hosts.entries()) {
    checkHost(found, `${field}[${index}]`, host);
    if (seen.has(host)) found.warn(`${field}[${index}]`, `"${host}" stands there already and has no effect`);
    seen.add(host);
  }
  if (seen.has('*/*') && seen.size > 1)
    found.warn(field, 'has "*/*", which takes in all other hosts: they have no effect');
}

function checkHost(found: Findings, field: string, host: string): void {
  const slash = host.indexOf('/');
  const namespace = host.slice(0, Math.max(slash, 0));
  const name = host.slice(slash + 1);
  if (slash < 0) {
    found.error(field, `must have the form NAMESPACE/NAME, such as "./${host}" or "*/${host}", and is "${host}"`);
  } else if (!['*', '.', '~'].includes(namespace) && !isDnsLabel(namespace)) {
    found.error(field, `must begin with a namespace, ".", "*" or "~", and is "${host}"`);
  } else if (!isHostOrWildcard(name)) {
    found.error(field, `must end in a DNS name, perhaps with "*." in front, or in "*", and is "${host}"`);
  } else if (name !== '*' && !name.includes('.')) {
    found.error(
      field,
      `must have the full name of the host, such as "${namespace}/${name}.NAMESPACE.svc.cluster.local"`,
    );
  } else if (namespace === '~' && name !== '*') {
    found.warn(field, `"${host}" imports nothing; write "~/*"`);
  }
}
