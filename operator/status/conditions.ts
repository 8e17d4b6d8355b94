import type { Condition } from '../../api/condition.ts';
import type { PolicyView, Problem } from '../mesh/snapshot.ts';
import type { Enforcement } from './enforcement.ts';

/** Whether the mesh takes nothing of a policy of callers, for it can't be right: then no proxy has any of it. */
export function isLeftOut({ reach, problems }: PolicyView): boolean {
  return (
    reach.kind === 'clients' &&
    problems.some(({ condition, reason }) => condition === 'Accepted' && reason === 'Invalid')
  );
}

/** A condition before it is known since when it holds. */
export type WantedCondition = Omit<Condition, 'lastTransitionTime'>;

/** Pods that a message names; of more it says how many. */
const NAMED = 3;
/** Longest message; Kubernetes takes 32,768, people less. */
const MESSAGE_LENGTH = 1024;

/**
 * The conditions of a policy; all three are always there, so that `kubectl wait` works for either status.
 * @param programmed the Programmed condition it has now, which stands while proxies reconnect
 */
export function buildConditions(
  view: PolicyView,
  enforcement: Enforcement,
  programmed: Condition | undefined,
): WantedCondition[] {
  const problems = (condition: Problem['condition']) => view.problems.filter((one) => one.condition === condition);
  const invalid = problems('Accepted');
  const conflicts = problems('Conflicted');
  const wanted = [
    invalid[0] === undefined ? accepted(view) : fromProblems('Accepted', 'False', invalid, invalid[0].reason),
    conflicts[0] === undefined
      ? {
          type: 'Conflicted',
          status: 'False' as const,
          reason: 'NoConflict',
          message: 'No other policy is in its way.',
        }
      : fromProblems('Conflicted', 'True', conflicts, conflicts[0].reason),
    buildProgrammed(view, enforcement, programmed),
  ];
  return wanted.map((condition) => ({
    ...condition,
    message: condition.message.slice(0, MESSAGE_LENGTH),
    observedGeneration: view.generation,
  }));
}

function fromProblems(
  type: string,
  status: 'True' | 'False',
  problems: readonly Problem[],
  reason: string,
): WantedCondition {
  return { type, status, reason, message: problems.map(({ message }) => message).join(' ') };
}

function accepted({ selected, problems, reach, notes }: PolicyView): WantedCondition {
  const condition = (reason: string, message: string): WantedCondition => ({
    type: 'Accepted',
    status: 'True',
    reason,
    message,
  });
  const alone = reach.kind === 'workloads' && selected === 0 && problems.length === 0;
  if (alone) {
    return condition('SelectsNothing', ['It is valid, but selects no injected pod at present.', ...notes].join(' '));
  }
  if (notes.length > 0) return condition('ValidWithNotes', `It is valid. ${notes.join(' ')}`);
  return condition('Valid', 'It is valid.');
}

function inForceText(inForce: number, total: number): string {
  return `in force on ${inForce} of ${total} ${total === 1 ? 'proxy' : 'proxies'}`;
}

/** Reads from the message of a condition Programmed on how many proxies the policy is in force; undefined where it does not say. */
export function readInForce(message: string): { readonly proxies: number; readonly of: number } | undefined {
  const [, proxies, of] = /^in force on (\d+) of (\d+) prox/.exec(message) ?? [];
  return proxies === undefined ? undefined : { proxies: Number(proxies), of: Number(of) };
}

function buildProgrammed(view: PolicyView, enforcement: Enforcement, present: Condition | undefined): WantedCondition {
  const { total, inForce, refused, waiting, missing, reconnecting } = enforcement;
  if (total === 0) return { type: 'Programmed', ...onNoProxy(view, enforcement) };
  const count = inForceText(inForce, total);
  const condition = (status: Condition['status'], reason: string, message: string): WantedCondition => ({
    type: 'Programmed',
    status,
    reason,
    message,
  });
  const [refusal] = refused;
  if (refusal !== undefined) {
    const pods = name(refused.map(({ pod }) => pod));
    return condition('False', 'Refused', `${count}; refused by ${pods}: ${refusal.message}`);
  }
  if (waiting.length > 0) return condition('False', 'Pending', `${count}; waiting for ${name(waiting)}`);
  if (missing.length > 0) return condition('Unknown', 'NoReport', `${count}; no report from ${name(missing)}`);
  if (reconnecting.length > 0) {
    // A stream that breaks and comes back says nothing about the policy, so nothing is said about it.
    if (present?.observedGeneration === view.generation) return present;
    return condition('Unknown', 'NoReport', `${count}; waiting for a report from ${name(reconnecting)}`);
  }
  return condition('True', 'InForce', count);
}

function onNoProxy(view: PolicyView, { starting }: Enforcement): Pick<Condition, 'status' | 'reason' | 'message'> {
  const { problems, selected, reach } = view;
  const notAccepted = {
    status: 'False',
    reason: 'NotAccepted',
    message: 'in force on no proxy; see Accepted',
  } as const;
  if (isLeftOut(view)) return notAccepted;
  if (starting > 0) {
    const pods = starting === 1 ? 'The sidecar of the 1 pod' : `The sidecars of all ${starting} pods`;
    return { status: 'Unknown', reason: 'NoProxies', message: `${pods} it applies to are still starting.` };
  }
  if (reach.kind === 'workloads' && problems.some(({ condition }) => condition === 'Accepted')) return notAccepted;
  if (problems.some(({ condition }) => condition === 'Conflicted')) {
    return { status: 'False', reason: 'Conflicted', message: 'in force on no proxy; see Conflicted' };
  }
  if (reach.kind === 'clients') return { status: 'Unknown', reason: 'NoProxies', message: 'No proxy uses it.' };
  if (selected > 0) {
    const message = `in force on no proxy: for each of the ${selected} pods it selects a narrower policy decides`;
    return { status: 'False', reason: 'Overridden', message };
  }
  return { status: 'Unknown', reason: 'NoProxies', message: 'There is no proxy that it could be in force on.' };
}

function name(pods: readonly string[]): string {
  const rest = pods.length - NAMED;
  const first = [...pods].sort().slice(0, NAMED).join(', ');
  return rest > 0 ? `${first} and ${rest} more` : first;
}
