import { redactPath } from '../tap/redact.ts';
import type { Explanation } from './explain-call.ts';
import type { RouteChoice } from './route-choice.ts';

/** What a sidecar has, held against what was decided. */
export interface LiveFinding {
  /** It has the same. */
  readonly ok: boolean;
  /** One sentence. */
  readonly text: string;
}

/** All that is told of a call. */
export interface Report {
  readonly from: { readonly pod: string; readonly identity?: string };
  readonly to: { readonly text: string; readonly host: string; readonly port: number };
  readonly explanation: Explanation;
  readonly live: readonly LiveFinding[];
  readonly notes: readonly string[];
}

/** A report for programs; what it holds stays, and more may come. */
export function reportJson({ from, to, explanation, live, notes }: Report): object {
  const { verdict, protocol, service, choice, passed, outcomes } = explanation;
  return {
    verdict,
    from,
    to: { host: to.host, port: to.port, protocol, ...(service && { service: service.hostname }) },
    ...(choice && { route: routeJson(choice) }),
    passed,
    outcomes,
    live,
    notes: [...notes, ...explanation.notes],
  };
}

function routeJson({ object, name, pinned, rule, shares }: RouteChoice): object {
  const { timeoutMs, retries, fault, rewrite, mirrors, action } = rule;
  return {
    ...(object && { object }),
    rule: name,
    pinned,
    action: action.kind,
    ...(timeoutMs !== undefined && { timeoutMs }),
    ...(retries && { retries }),
    ...(fault && { fault }),
    ...(rewrite && { rewrite }),
    mirrors,
    shares: shares.map(({ percent, cluster, backend, request }) => ({
      percent,
      cluster,
      hostname: backend.hostname,
      ...(backend.subset !== undefined && { subset: backend.subset }),
      sentAs: { authority: request.authority, path: redactPath(request.path) },
    })),
  };
}
