import { isHttp } from '../../operator/mesh/protocol.ts';
import type { MeshService, MeshSnapshot, Workload } from '../../operator/mesh/snapshot.ts';
import { routablePorts } from '../../operator/xds/routable-ports.ts';
import { serviceByDns } from './called-names.ts';
import { explainHttp } from './explain-http.ts';
import { explainTcp } from './explain-tcp.ts';
import { followHop } from './hop.ts';
import { OutboundView } from './outbound-view.ts';
import { type Outcome, type Verdict, verdictOf } from './outcome.ts';
import type { HttpRequest } from './request.ts';
import type { PassedRule, RouteChoice } from './route-choice.ts';
import { sideNote } from './side-note.ts';

/** Who calls. */
export interface Caller {
  /** Absent: it has no sidecar. */
  readonly workload?: Workload;
  readonly namespace: string;
  readonly address: string;
}

/** What is asked about. */
export interface Call {
  readonly caller: Caller;
  /** As the caller writes it, without a port. */
  readonly host: string;
  readonly port: number;
  /** Absent: opaque bytes. */
  readonly request?: HttpRequest;
  /** Seconds since the epoch, for tokens. */
  readonly now: number;
}

/** What becomes of a call. */
export interface Explanation {
  readonly verdict: Verdict;
  readonly protocol: 'http' | 'tcp';
  /** The service that the name stands for; absent: nobody knows it, or the caller does not see it. */
  readonly service?: MeshService;
  readonly choice?: RouteChoice;
  /** Rules that were looked at before the one that decides. */
  readonly passed: readonly PassedRule[];
  readonly outcomes: readonly Outcome[];
  readonly notes: readonly string[];
}

/** What is found of a call before it is summed up. */
export type Findings = Omit<Explanation, 'verdict'>;

/**
 * Decides what becomes of a call, by what the mesh is. Equal arguments give equal answers.
 * @param view of the caller, where there is one already: it is made of the whole mesh
 */
export function explainCall(
  snapshot: MeshSnapshot,
  call: Call,
  view: OutboundView | undefined = call.caller.workload && new OutboundView(snapshot, call.caller.workload),
): Explanation {
  const findings = view === undefined ? withoutSidecar(snapshot, call) : withSidecar(snapshot, view, call);
  const side = findings.service && sideNote(findings.service, view !== undefined);
  const notes = side === undefined ? findings.notes : [...findings.notes, side];
  return { verdict: verdictOf(findings.outcomes), ...findings, notes };
}

function withSidecar(snapshot: MeshSnapshot, view: OutboundView, call: Call): Findings {
  const service = view.service(call.host);
  const declared = service && routablePorts(service).find(({ port }) => port === call.port);
  const isTcp = declared !== undefined && !isHttp(declared.protocol);
  const { request } = call;
  if (request !== undefined && !isTcp) return explainHttp(snapshot, view, call, request, service);
  const notes =
    request === undefined
      ? []
      : [`port ${call.port} is declared to be ${declared?.protocol}: nothing looks at the HTTP in it`];
  return explainTcp(snapshot, view, call, service, notes);
}

/** Nothing but the server's sidecar has a say. */
function withoutSidecar(snapshot: MeshSnapshot, { caller, host, port, request, now }: Call): Findings {
  const notes = ['the caller has no sidecar: no routes, no mutual TLS, and Kubernetes picks the pod'];
  const service = serviceByDns(snapshot, caller.namespace, host);
  const declared = service && routablePorts(service).find((one) => one.port === port);
  if (service === undefined || declared === undefined) {
    const found: Outcome = { percent: 100, end: 'outside', message: 'the mesh does not know where it goes' };
    return { protocol: request ? 'http' : 'tcp', passed: [], outcomes: [found], notes };
  }
  const endpoints = (snapshot.endpoints.get(service.key) ?? []).filter(
    ({ ports, gated }) => !gated && ports[declared.name] !== undefined,
  );
  const pool = { cluster: '', service, port: declared, subset: '', revision: '', endpoints };
  const plain = { spiffeId: undefined, address: caller.address, now, failedStatus: undefined };
  const outcomes = followHop(snapshot, NO_POLICIES, pool, plain, request, 100, 'plaintext');
  return { protocol: request ? 'http' : 'tcp', service, passed: [], outcomes, notes };
}

const NO_POLICIES = { policy: () => undefined };
