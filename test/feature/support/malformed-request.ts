import type { TrickyRequest } from './tricky-requests.ts';

/** Methods that Envoy's parser of HTTP/1 knows. */
const METHODS = /^(?:GET|POST|PUT|DELETE|HEAD|OPTIONS|PATCH|TRACE|PROPFIND)$/;
/** RFC 3986, 3.2: without user information and escapes. */
const AUTHORITY = /^(?:\[[0-9a-fA-F:.]+\]|[-a-zA-Z0-9._~!$&'()*+,;=]+)(?::[0-9]+)?$/;
/** What Envoy takes for a host in a target. */
const ABSOLUTE = /^(?:\[[0-9a-fA-F:.]+\]|[-a-zA-Z0-9._]+)(?::[0-9]+)?$/;
/** RFC 3986, 3.3, and what browsers escape of the rest. */
const TARGET = /^[-a-zA-Z0-9._~%!$&'()*+,;=:@/?\\]*$/;

/** Why a proxy may refuse a request whatever the policies are. */
export interface Malformation {
  readonly reason: string;
  /** It is plain what the request is about all the same, so that it must be refused, or become of it what the policies say. */
  readonly readable: boolean;
}

/** Undefined where a proxy may not refuse it. */
export function malformation(request: TrickyRequest): Malformation | undefined {
  const { protocol, target, authority, headers } = request;
  const isHttp2 = protocol === 'HTTP/2';
  const hosts = headers.filter(([name]) => name.toLowerCase() === 'host').map(([, value]) => value);
  const [, absolute, rest] = /^https?:\/\/([^/?#]*)(.*)$/is.exec(target) ?? [];
  const path = rest ?? target;
  if (request.method === 'CONNECT' || !path.startsWith('/') || (absolute !== undefined && isHttp2)) {
    return { reason: 'form of the target', readable: false };
  }
  if (isHttp2 ? authority === undefined : hosts.length !== 1) {
    return { reason: 'more or fewer hosts than one', readable: false };
  }
  if (/[\0-\x20\x7f-\xff#]|%00/.test(path))
    return { reason: 'NUL, control or fragment in the target', readable: false };
  if (hasEmptyItem(headers)) return { reason: 'an empty header beside another of its name', readable: false };
  const reason = readableProblem(request, path, [absolute, authority, ...hosts]);
  return reason === undefined ? undefined : { reason, readable: true };
}

function readableProblem(
  request: TrickyRequest,
  path: string,
  hosts: readonly (string | undefined)[],
): string | undefined {
  const { protocol, method, headers } = request;
  if (!METHODS.test(method)) return 'method';
  if (protocol === 'HTTP/2' && hosts.length > 2) return 'host beside the authority';
  if (hosts[0] !== undefined && !ABSOLUTE.test(hosts[0])) return 'host';
  if (hosts.some((host) => host !== undefined && !AUTHORITY.test(host))) return 'host';
  if (!TARGET.test(path)) return 'character in the target';
  if (/%(?![0-9a-fA-F]{2})/.test(path)) return 'escape';
  return headers.some(([, value]) => /[^\t\x20-\x7e\x80-\xff]/.test(value)) ? 'character in a header' : undefined;
}

/** Nobody says whether it leaves a comma; to Envoy, with some names, it does not. */
function hasEmptyItem(headers: TrickyRequest['headers']): boolean {
  const names = headers.map(([name]) => name.toLowerCase());
  return headers.some(
    ([, value], index) => value === '' && names.indexOf(names[index] ?? '') !== names.lastIndexOf(names[index] ?? ''),
  );
}
