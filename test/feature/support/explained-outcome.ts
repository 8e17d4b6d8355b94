import type { Explanation } from '../../../cli/explain/explain-call.ts';
import type { Outcome } from '../../../cli/explain/outcome.ts';
import { normalizePath } from '../../../cli/explain/path.ts';
import type { Answer } from './http-call.ts';

/** What became of a request in words that Envoy's answers and outcomes have alike: who answered, with which status, and where the application got it. */
export function seenOf({ status, headers, body }: Answer): string {
  const echo =
    headers['x-from'] === undefined ? undefined : (JSON.parse(body) as { url: string; headers: { host?: string } });
  if (echo !== undefined) return `application ${headers['x-from']} ${echo.url} ${echo.headers.host}`;
  if (body === 'RBAC: access denied') return `authorization ${status}`;
  if (status === 401 || /^Audiences in Jwt/.test(body)) return `token ${status}`;
  if (body === 'fault filter abort') return `fault ${status}`;
  if (body === 'direct') return `direct-response ${status}`;
  if (headers.location !== undefined) return `redirect ${status}`;
  if (headers['access-control-allow-origin'] !== undefined) return `cors ${status}`;
  if (status === 404) return 'no-route 404';
  if (status === 502) return 'unknown-host 502';
  return /^(no healthy upstream|upstream connect error)/.test(body) || status === 503
    ? `unreached ${status}`
    : `other ${status} ${body}`;
}

/** The same of an outcome: one for each pod that may answer. */
export function expectedOf({ end, reason, status, backend }: Outcome, { choice }: Explanation): string[] {
  if (end !== 'application') {
    const reached = reason === 'mtls' || reason === 'no-destination' || reason === 'no-endpoint';
    return [`${reached ? 'unreached' : reason} ${status}`];
  }
  const share = choice?.shares.filter(({ cluster }) => cluster === backend?.cluster) ?? [];
  return (backend?.endpoints ?? []).flatMap((endpoint) => {
    const pod = /^[^/]+\/([^ ]+)/.exec(endpoint)?.[1];
    return share.map(({ request: { path, authority } }) => {
      // Without a sidecar nobody normalises what a route, or the client's sidecar, has made of it.
      const seen = backend?.server.mode === undefined ? path : normalizePath(path);
      return `application ${pod} ${seen} ${authority}`;
    });
  });
}
