import type { ObjectRef } from '../../operator/mesh/object-ref.ts';
import type { HopSecurity, ServerDecision } from './server-decision.ts';

/** Who gives the client something else than the application's answer, and why. */
export type Reason =
  | 'fault'
  | 'cors'
  | 'redirect'
  | 'direct-response'
  | 'no-route'
  | 'unknown-host'
  | 'no-destination'
  | 'no-endpoint'
  | ServerReason;

type ServerReason = NonNullable<ServerDecision['refusal']>['reason'];

/** What may become of a call, and of which part of all like it. */
export interface Outcome {
  /** 0 to 100; of endpoints that differ, by their number. */
  readonly percent: number;
  /**
   * `application`: its answer comes back. `outside`: it leaves the mesh as it is. `answered`: a sidecar answers in its place. `refused`: it gets
   * nowhere. `asked`: somebody outside of the mesh's configuration has the last word.
   */
  readonly end: 'application' | 'outside' | 'answered' | 'refused' | 'asked';
  /** Of the answer, where it is not the application's; absent: the connection is closed. */
  readonly status?: number;
  readonly at?: 'client' | 'server';
  readonly reason?: Reason;
  /** The object that decides. */
  readonly object?: ObjectRef;
  /** One sentence. */
  readonly message?: string;
  readonly backend?: OutcomeBackend;
}

/** Where a call gets to. */
export interface OutcomeBackend {
  readonly cluster: string;
  readonly hostname: string;
  readonly port: number;
  /** '' : the whole service. */
  readonly subset: string;
  /** '' : all. */
  readonly revision: string;
  /** `namespace/pod address:port` of those that do alike. */
  readonly endpoints: readonly string[];
  readonly security: HopSecurity;
  readonly server: ServerDecision;
}

/** Whether all, some or none of the calls like it pass; `unknown`: that is for somebody outside of the mesh's configuration to say. */
export type Verdict = 'passes' | 'in part' | 'refused' | 'unknown';

/** An answer of a sidecar that is no error counts as passing. */
export function verdictOf(outcomes: readonly Outcome[]): Verdict {
  const passes = outcomes.filter(isPassing);
  const asked = outcomes.filter(({ end }) => end === 'asked');
  if (passes.length === outcomes.length && outcomes.length > 0) return 'passes';
  if (asked.length > 0 && passes.length + asked.length === outcomes.length) return 'unknown';
  return passes.length + asked.length > 0 ? 'in part' : 'refused';
}

function isPassing({ end, status = 599 }: Outcome): boolean {
  return end === 'application' || end === 'outside' || (end === 'answered' && status < 400);
}
