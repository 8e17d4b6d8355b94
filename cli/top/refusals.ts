import type { RefusalsView } from '../../api/view/control-plane-view.ts';
import { refusalInWords } from '../../api/view/refusal-reason.ts';
import { formatTable } from '../terminal/table.ts';
import { short } from './figures.ts';

/** What policies refused, the most first; names in the namespace that was asked for need not say it. */
export function formatRefusals({ refusals }: Pick<RefusalsView, 'refusals'>, namespace?: string): string {
  const rows = refusals.map(({ workload, requests, reason, policy, among }) => [
    short(workload, namespace),
    `${requests}`,
    refusalInWords(reason),
    `${policy.kind} ${short(`${policy.namespace}/${policy.name}`, namespace)}${among > 1 ? `, or another of ${among}` : ''}`,
  ]);
  return formatTable(['at', 'requests', 'why', 'policy'], rows);
}

/** In place of a table without lines. */
export function nothingRefused({ complete }: Pick<RefusalsView, 'complete'>, namespace?: string): string {
  const where = namespace === undefined ? '' : ` in namespace ${namespace}; -A shows all`;
  return complete
    ? `No policy has refused a request${where}.`
    : `Of no policy it is known that it refused a request${where}.`;
}
