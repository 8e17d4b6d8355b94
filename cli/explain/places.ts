import type { MeshObject } from '../../operator/mesh/mesh-object.ts';
import { type PodFacts, readPod } from '../../operator/mesh/pod.ts';
import type { MeshService, MeshSnapshot } from '../../operator/mesh/snapshot.ts';
import { routablePorts } from '../../operator/xds/routable-ports.ts';
import { CliError } from '../cli-error.ts';
import { matchTarget, readTarget } from '../pods/find-pods.ts';
import { redactPath } from '../tap/redact.ts';
import { nearest } from '../terminal/nearest.ts';

/** Where a call goes, as the user wrote it. */
export interface Destination {
  /** As the caller would write it. */
  readonly host: string;
  /** Absent: not told. */
  readonly port?: number;
  /** Of a URL; absent: not told. */
  readonly path?: string;
  readonly scheme?: 'http' | 'https';
}

const SERVICE = /^(svc|services?)$/i;

/**
 * Reads where a call goes: a URL, `HOST[:PORT]`, `NAMESPACE/SERVICE[:PORT]` or `service/NAME[:PORT]`.
 * @throws {CliError} with code 2 for what is none of these
 */
export function readDestination(text: string): Destination {
  const url = /^https?:\/\//i.test(text) ? URL.parse(text) : undefined;
  if (url === null) throw new CliError(`${redactPath(text)} is no URL`, 'write http://HOST[:PORT]/PATH', 2);
  if (url !== undefined) {
    const scheme = url.protocol === 'https:' ? 'https' : 'http';
    // What URL leaves out (`http://a/b/../c`) the sidecar is to see.
    const path = /^https?:\/\/[^/?#]*([^#]*)/i.exec(text)?.[1] ?? '';
    const port = url.port === '' ? (scheme === 'https' ? 443 : 80) : Number(url.port);
    return { host: url.hostname.replace(/^\[|\]$/g, ''), port, path: path.startsWith('/') ? path : `/${path}`, scheme };
  }
  const match = /^(?:([-a-z0-9.]+)\/)?([-a-z0-9._]+)(?::([0-9]{1,5}))?$/i.exec(text);
  if (match?.[2] === undefined) {
    throw new CliError(
      `${redactPath(text)} names nothing that can be called`,
      'write http://HOST/PATH, HOST:PORT or NAMESPACE/SERVICE:PORT',
      2,
    );
  }
  const [, before, name, port] = match;
  const host = before === undefined || SERVICE.test(before) ? name : `${name}.${before}`;
  return { host, ...(port === undefined ? {} : { port: Number(port) }) };
}

/**
 * The pod that calls: the one named, or the first of a workload's that is ready, one with a sidecar before others.
 * @throws {CliError} with the names most alike when there is none
 */
export function findCaller(objects: readonly MeshObject[], namespace: string, text: string): PodFacts {
  const pods = objects.flatMap((entry) => (entry.kind === 'Pod' ? [readPod(entry.object)] : []));
  const target = readTarget(text, namespace);
  const own = pods.filter((pod) => pod.namespace === target.namespace);
  const found = [...matchTarget(own, target)].sort((a, b) => rank(b) - rank(a) || a.name.localeCompare(b.name));
  const [first] = found;
  if (first !== undefined) return first;
  const names = [...new Set(own.flatMap(({ name, owner }) => [name, owner]))];
  const alike = nearest(target.name, names);
  const there =
    alike.length > 0
      ? `did you mean ${alike.join(' or ')}?`
      : `there are: ${names.slice(0, 10).join(', ') || 'no pods'}`;
  throw new CliError(`there is no pod or workload ${target.name} in namespace ${target.namespace}`, there);
}

function rank({ injected, ready }: PodFacts): number {
  return (injected ? 2 : 0) + (ready ? 1 : 0);
}

/**
 * The port that is meant: the one told, the only one, or 80.
 * @throws {CliError} with the ports there are, when it is none of these
 */
export function choosePort({ host, port }: Destination, service: MeshService | undefined): number {
  if (port !== undefined) return port;
  const ports = service === undefined ? [] : routablePorts(service);
  const [only, ...others] = ports;
  if (only !== undefined && others.length === 0) return only.port;
  if (service === undefined || ports.some((one) => one.port === 80)) return 80;
  const names = ports.map((one) => `${one.port} (${one.name})`).join(', ');
  throw new CliError(`${host} has several ports: ${names}`, `say which: ${host}:${ports[0]?.port}`, 2);
}

/** Names of services that are most like one that nobody knows. */
export function similarHosts(snapshot: MeshSnapshot, host: string): string[] {
  return nearest(
    host.split('.')[0] ?? '',
    [...snapshot.services.values()].map(({ name }) => name),
  );
}
