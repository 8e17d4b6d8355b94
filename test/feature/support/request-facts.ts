import { isIP } from 'node:net';
import type { CallFacts, HttpFacts } from './authorization-reference.ts';
import type { Caller } from './mesh-callers.ts';
import { isUnclear, normalisedPath } from './path-normalisation.ts';
import type { ReceivedRequest } from './recording-backend.ts';
import type { TrickyRequest } from './tricky-requests.ts';

type Headers = readonly (readonly [name: string, value: string])[];

/** Of a connection, without what it carries. */
export function callFacts(caller: Caller, port: number, http?: HttpFacts): CallFacts {
  const { principal, sourceIp, destinationIp, serverName } = caller;
  return {
    sourceIp,
    remoteIp: http === undefined ? sourceIp : remoteIp(http, sourceIp),
    destinationIp,
    port,
    ...(principal !== undefined && { principal }),
    ...(serverName !== undefined && { serverName }),
    ...(http !== undefined && { http }),
  };
}

/** What a request is, by the standards of HTTP, once its path is normalised. */
export function sentFacts({ method, target, authority, headers, protocol }: TrickyRequest): HttpFacts {
  const [, absolute, rest] = /^https?:\/\/([^/?#]*)(.*)$/is.exec(target) ?? [];
  // Who a URI is for stands behind what it says of its user (RFC 9110, 4.2.4); Envoy leaves that out.
  const host = absolute?.replace(/^[^@]*@/, '') ?? authority ?? hostsOf(headers)[0] ?? '';
  const path = normalisedPath(protocol !== 'HTTP/2' && absolute !== undefined ? (rest ?? '') : target);
  const facts = { method, host, path, unclear: isUnclear(path) };
  if (protocol !== 'HTTP/2') return { ...facts, headers: joined(headers) };
  // Around a value of HTTP/2 stands no white space (RFC 9113, 8.2.1): Envoy leaves such a field out, for itself and for the application.
  const heard = headers.filter(([, value]) => !/^[ \t]|[ \t]$/.test(value));
  return { ...facts, headers: joined(heard, true) };
}

/** What an application may take a request for that it got: for each name of a host in it, by its path as it is, and as who normalises it reads it. */
export function receivedFacts({ method, target, headers }: ReceivedRequest): HttpFacts[] {
  const [path = ''] = target.split('?', 1);
  const fields = headers.filter(([name]) => !name.startsWith(':'));
  const hosts = [...headers.flatMap(([name, value]) => (name === ':authority' ? [value] : [])), ...hostsOf(headers)];
  const readings = [...new Set([path, ...(path.startsWith('/') ? [normalisedPath(path)] : [])])];
  return (hosts.length === 0 ? [''] : hosts).flatMap((host) =>
    readings.map((read) => ({ method, host, path: read, unclear: isUnclear(read), headers: joined(fields) })),
  );
}

function hostsOf(headers: Headers): string[] {
  return headers.flatMap(([name, value]) => (name.toLowerCase() === 'host' ? [value] : []));
}

/**
 * Those of one name are one, in their order (RFC 9110, 5.3).
 * @param crumbs cookies may come in pieces (RFC 9113, 8.2.3)
 */
function joined(headers: Headers, crumbs = false): Map<string, string> {
  const all = new Map<string, string>();
  for (const [name, value] of headers) {
    const [key, text] = [name.toLowerCase(), value.replace(/^[ \t]+|[ \t]+$/g, '')];
    const before = all.get(key);
    all.set(key, before === undefined ? text : `${before}${crumbs && key === 'cookie' ? '; ' : ','}${text}`);
  }
  return all;
}

/** Without trusted proxies before it, the last that X-Forwarded-For has is who called; the connection's, where that is no address. */
function remoteIp({ headers }: HttpFacts, sourceIp: string): string {
  const last = headers.get('x-forwarded-for')?.split(',').at(-1)?.trim() ?? '';
  return isIP(last) === 0 ? sourceIp : last;
}
