import type { Fault, HttpRule, Redirect } from '../../operator/mesh/route-rule.ts';
import type { MeshService, MeshSnapshot } from '../../operator/mesh/snapshot.ts';
import type { Call, Findings } from './explain-call.ts';
import { followHop, type HopCaller } from './hop.ts';
import type { OutboundView } from './outbound-view.ts';
import type { Outcome } from './outcome.ts';
import { normalizePath } from './path.ts';
import { type HttpRequest, headerOf } from './request.ts';
import { chooseRoute, type RouteChoice } from './route-choice.ts';
import { matchesText } from './text-match.ts';

/** What a sidecar answers where a connection to a server fails, or there is none to be had. */
const FAILED = 503;
const UNKNOWN_HOST = 502;
const NO_ROUTE = 404;

/** Follows an HTTP request from its sidecar on. */
export function explainHttp(
  snapshot: MeshSnapshot,
  view: OutboundView,
  { caller, port, now }: Call,
  sent: HttpRequest,
  service: MeshService | undefined,
): Findings {
  const request = { ...sent, path: normalizePath(sent.path, snapshot.settings.pathNormalization?.normalization) };
  const base = { protocol: 'http' as const, ...(service && { service }), notes: [] };
  const host = view.host(port, request.authority);
  if (host === undefined) return { ...base, passed: [], outcomes: [unknownHost(view, request.authority)] };
  const { choice, passed } = chooseRoute(host, request, view.resolution(port));
  if (choice === undefined) {
    const [object] = host.objects;
    const message = 'no rule of the routes for the host matches';
    const outcome: Outcome = {
      percent: 100,
      end: 'refused',
      status: NO_ROUTE,
      at: 'client',
      reason: 'no-route',
      message,
    };
    return { ...base, passed, outcomes: [{ ...outcome, ...(object && { object: object.object }) }] };
  }
  const identity = caller.workload?.spiffeId;
  const hopCaller: HopCaller = { spiffeId: identity, address: caller.address, now, failedStatus: FAILED };
  const outcomes = outcomesOf(snapshot, view, choice, request, hopCaller);
  return { ...base, choice, passed, outcomes };
}

function unknownHost(view: OutboundView, authority: string): Outcome {
  if (view.client.scope.outboundPolicy === 'ALLOW_ANY') {
    return {
      percent: 100,
      end: 'outside',
      message: `the mesh does not know ${authority}, and lets it pass (ALLOW_ANY)`,
    };
  }
  const message = `the mesh does not know ${authority}, and lets nothing else pass (REGISTRY_ONLY)`;
  return { percent: 100, end: 'refused', status: UNKNOWN_HOST, at: 'client', reason: 'unknown-host', message };
}

/** In the order in which the sidecar sees to them: a fault, what a route answers by itself, preflights, where the route leads. */
function outcomesOf(
  snapshot: MeshSnapshot,
  view: OutboundView,
  choice: RouteChoice,
  request: HttpRequest,
  caller: HopCaller,
): Outcome[] {
  const { rule, object } = choice;
  const by = object === undefined ? {} : { object };
  const fault = faultOutcome(rule.fault);
  const left = 100 - (fault?.percent ?? 0);
  const outcomes: Outcome[] = fault === undefined ? [] : [{ ...fault, ...by }];
  if (left <= 0) return outcomes;
  const { action } = rule;
  if (action.kind === 'redirect') {
    const message = `the client is sent to ${whereTo(action.redirect)}`;
    return [
      ...outcomes,
      {
        percent: left,
        end: 'answered',
        status: action.redirect.code,
        at: 'client',
        reason: 'redirect',
        ...by,
        message,
      },
    ];
  }
  if (action.kind === 'respond') {
    const message = 'the route answers in place of a service';
    return [
      ...outcomes,
      {
        percent: left,
        end: 'answered',
        status: action.status,
        at: 'client',
        reason: 'direct-response',
        ...by,
        message,
      },
    ];
  }
  // Where a route answers by itself, Envoy's filter does nothing.
  if (isAnsweredPreflight(rule, request)) {
    return [
      ...outcomes,
      {
        percent: left,
        end: 'answered',
        status: 200,
        at: 'client',
        reason: 'cors',
        ...by,
        message: 'the sidecar answers the preflight',
      },
    ];
  }
  for (const { percent, cluster, backend, request: own } of choice.shares) {
    const share = (percent * left) / 100;
    const pool = view.pool(cluster);
    if (pool === undefined) {
      const subset = backend.subset === undefined ? '' : `, subset ${backend.subset}`;
      const message = `the route leads to ${backend.hostname}${subset}, which is not there for this client`;
      outcomes.push({
        percent: share,
        end: 'refused',
        status: FAILED,
        at: 'client',
        reason: 'no-destination',
        ...by,
        message,
      });
    } else outcomes.push(...followHop(snapshot, view, pool, caller, own, share));
  }
  return outcomes;
}

function faultOutcome(fault: Fault | undefined): Outcome | undefined {
  const abort = fault?.abort;
  if (abort === undefined || abort.percent <= 0) return undefined;
  const base = { percent: abort.percent, end: 'answered', at: 'client', reason: 'fault' } as const;
  if (abort.httpStatus !== undefined)
    return { ...base, status: abort.httpStatus, message: 'the route injects this fault' };
  return abort.grpcStatus === undefined
    ? undefined
    : { ...base, message: `the route injects gRPC status ${abort.grpcStatus}` };
}

/** Envoy answers preflights of origins that are allowed, and of others where it is told to (`IGNORE`). */
function isAnsweredPreflight({ cors }: HttpRule, request: HttpRequest): boolean {
  const origin = headerOf(request, 'origin');
  if (cors === undefined || origin === undefined || origin === '' || request.method !== 'OPTIONS') return false;
  if ((headerOf(request, 'access-control-request-method') ?? '') === '') return false;
  return cors.unmatchedPreflights === 'IGNORE' || cors.allowOrigins.some((one) => matchesText(one, origin));
}

function whereTo({ scheme, authority, uri }: Redirect): string {
  return `${scheme === undefined ? '' : `${scheme}://`}${authority ?? ''}${uri ?? ''}` || 'the same place';
}
