import { NAMESPACE } from '../../kube/kinds.ts';
import type { KubeApi } from '../../kube/kube-api.ts';
import { isKubeError } from '../../kube/kube-error.ts';
import type { KubeObject } from '../../kube/object.ts';
import type { ResourceKind } from '../../kube/resource-kind.ts';
import { SYSTEM_NAMESPACE } from '../../proxy/names.ts';
import { kindOf, titleOf } from '../install/manifest-object.ts';
import { type Check, failed, ok } from './check.ts';
import type { NamespaceObject } from './context.ts';

const SELF_REVIEW: ResourceKind = {
  group: 'authorization.k8s.io',
  version: 'v1',
  plural: 'selfsubjectaccessreviews',
  kind: 'SelfSubjectAccessReview',
  namespaced: false,
};

type Review = KubeObject & { readonly spec?: object; readonly status?: { readonly allowed?: boolean } };

/** Server-side apply of an object that is not there needs both of the last two. */
const VERBS = ['get', 'create', 'patch'];

export const installRights: Check = {
  category: 'Rights',
  title: 'rights to install',
  async run(context) {
    const { api } = context;
    const { base, istioDefinitions } = await context.manifests();
    const kinds = new Map([...base, ...istioDefinitions].map((object) => [object.kind, kindOf(object)]));
    const asked = [...kinds.values()].flatMap((kind) => VERBS.map((verb) => ({ kind, verb })));
    const denied = await Promise.all(
      asked.map(async ({ kind, verb }) => ((await may(api, kind, verb)) ? [] : [`${verb} ${kind.plural}`])),
    );
    const missing = denied.flat();
    if (missing.length === 0) return [ok(`you may make all ${kinds.size} kinds of objects that it consists of`)];
    const next = 'have an administrator of the cluster install, or grant you these: kubectl auth can-i --list';
    return [failed(`you may not ${missing.join(', ')}`, next)];
  },
};

/** A role may be given only by who has its rights: tried without storing it. */
export const grantingRights: Check = {
  category: 'Rights',
  title: "rights to grant the operator's roles",
  async run(context) {
    const { api } = context;
    const { base } = await context.manifests();
    const refused: string[] = [];
    for (const object of base.filter(({ kind }) => kind === 'ClusterRole')) {
      try {
        await api.apply(kindOf(object), object, { fieldManager: 'heddle-cli-check', dryRun: true });
      } catch (error) {
        if (!isKubeError(error, 403)) throw error;
        refused.push(titleOf(object));
      }
    }
    if (refused.length === 0) return [ok('you may grant its roles')];
    const next = 'who grants a role must have its rights: be cluster-admin, or have the verb escalate';
    return [failed(`you may not grant ${refused.join(', ')}`, next)];
  },
};

/** Whether Heddle is there already. */
export const absent: Check = {
  category: 'Rights',
  title: 'an installation',
  async run(context) {
    const found = await context.get<NamespaceObject>(NAMESPACE, { name: SYSTEM_NAMESPACE });
    if (!found) return [ok(`namespace ${SYSTEM_NAMESPACE} is free`)];
    if (found.status?.phase !== 'Terminating') return [ok(`namespace ${SYSTEM_NAMESPACE} is there already`)];
    const message = `namespace ${SYSTEM_NAMESPACE} is still being deleted`;
    return [failed(message, `wait for it: kubectl wait --for=delete namespace/${SYSTEM_NAMESPACE}`)];
  },
};

async function may(api: Pick<KubeApi, 'create'>, kind: ResourceKind, verb: string): Promise<boolean> {
  const namespace = kind.namespaced ? SYSTEM_NAMESPACE : undefined;
  const resourceAttributes = { group: kind.group, resource: kind.plural, verb, namespace };
  const { status } = await api.create<Review>(SELF_REVIEW, { spec: { resourceAttributes } } as Review);
  return status?.allowed === true;
}
