import type { AuthorizationPolicy } from '../../../api/authorization-policy.ts';
import { type CallFacts, decideByReference, type ReferenceDecision } from './authorization-reference.ts';
import type { AuthorizationWorld, WorldPort } from './authorization-world.ts';
import { malformation } from './malformed-request.ts';
import type { Caller, Heard } from './mesh-callers.ts';
import { REACHED } from './recording-backend.ts';
import { callFacts, receivedFacts, sentFacts } from './request-facts.ts';
import type { TrickyRequest } from './tricky-requests.ts';

/** What became of a pair. */
export interface Outcome {
  /** `HTTP allowed`, `HTTP denied`, and so on, to count. */
  readonly kind: string;
  /** What is wrong with it; absent: nothing. */
  readonly problem?: unknown;
}

/** Holds what Envoy did against what the reference says. */
export class PairJudge {
  private readonly world: AuthorizationWorld;

  constructor(world: AuthorizationWorld) {
    this.world = world;
  }

  judgeConnection(policies: readonly AuthorizationPolicy[], at: WorldPort, caller: Caller, heard: string): Outcome {
    const facts = callFacts(caller, at.port);
    const decision = this.decide(policies, facts);
    const allowed = heard === REACHED;
    const kind = `TCP ${allowed ? 'allowed' : 'denied'}`;
    if (allowed === decision.allowed) return { kind };
    return { kind, problem: { allowed, decision, at, facts, policies: about(policies, at) } };
  }

  /** @param pair by which the application knows the request */
  judgeRequest(
    policies: readonly AuthorizationPolicy[],
    at: WorldPort,
    caller: Caller,
    request: TrickyRequest,
    pair: string,
    heard: Heard,
  ): Outcome {
    const got = this.world.received.get(pair) ?? [];
    this.world.received.delete(pair);
    const malformed = malformation(request);
    const outcome = outcomeOf(heard, got.length);
    const kind = `${request.protocol} ${malformed === undefined ? '' : malformed.readable ? 'odd ' : 'malformed '}${outcome}`;
    const told = { outcome, malformed, heard, at, caller, request, received: got, policies: about(policies, at) };
    for (const received of got) {
      for (const http of receivedFacts(received)) {
        const decision = this.decide(policies, callFacts(caller, at.port, http));
        if (!decision.allowed) return { kind, problem: { bypass: decision, ...told } };
      }
    }
    if (malformed !== undefined && (outcome === 'refused' || (!malformed.readable && outcome !== 'other')))
      return { kind };
    const facts = callFacts(caller, at.port, sentFacts(request));
    const decision = this.decide(policies, facts);
    const expected = decision.allowed ? 'allowed' : 'denied';
    return outcome === expected ? { kind } : { kind, problem: { expected, decision, path: facts.http?.path, ...told } };
  }

  private decide(policies: readonly AuthorizationPolicy[], facts: CallFacts): ReferenceDecision {
    return decideByReference(policies, this.world.workload, facts);
  }
}

function outcomeOf({ status, body }: Heard, received: number): 'allowed' | 'denied' | 'refused' | 'other' {
  if (received === 1 && status === 200) return 'allowed';
  if (received > 0) return 'other';
  if (status === 403 && (body === '' || body === 'RBAC: access denied')) return 'denied';
  return status === undefined || (status >= 400 && status < 500) ? 'refused' : 'other';
}

function about(policies: readonly AuthorizationPolicy[], { service }: WorldPort): unknown {
  return policies
    .filter(({ spec }) => spec?.targetRefs === undefined || spec.targetRefs.some(({ name }) => name === service))
    .map(({ metadata, spec }) => ({
      name: `${metadata.namespace}/${metadata.name}`,
      annotations: metadata.annotations,
      spec,
    }));
}
