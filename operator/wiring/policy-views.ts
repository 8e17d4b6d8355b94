import type { PolicyView } from '../../api/view/control-plane-view.ts';
import type { KubeObject } from '../../kube/object.ts';
import { readInForce } from '../status/conditions.ts';
import type { PolicyKind } from '../status/policy-objects.ts';

interface Conditioned extends KubeObject {
  readonly status?: { readonly conditions?: readonly Partial<PolicyView['conditions'][number]>[] | undefined };
}

/** Every object of some kinds with what its status says. @param namespace undefined: of all */
export function policyViews(kinds: readonly PolicyKind[], namespace: string | undefined): PolicyView[] {
  const views: PolicyView[] = [];
  for (const { kind, store } of kinds) {
    for (const object of store.list()) {
      if (namespace === undefined || object.metadata?.namespace === namespace) views.push(viewOf(kind.kind, object));
    }
  }
  return views;
}

function viewOf(kind: string, { metadata, status }: Conditioned): PolicyView {
  const conditions = (status?.conditions ?? []).map(
    ({ type = '', status: is = 'Unknown', reason = '', message = '' }) => {
      return { type, status: is, reason, message };
    },
  );
  const programmed = conditions.find(({ type }) => type === 'Programmed');
  const inForce = programmed === undefined ? undefined : readInForce(programmed.message);
  return {
    kind,
    namespace: metadata?.namespace ?? '',
    name: metadata?.name ?? '',
    conditions,
    ...(inForce === undefined ? {} : { inForce }),
  };
}
