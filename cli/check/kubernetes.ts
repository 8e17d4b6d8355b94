import { LEASE, NODE } from '../../kube/kinds.ts';
import type { Lease } from '../../kube/leader-election.ts';
import type { KubeObject } from '../../kube/object.ts';
import { type Check, type Finding, failed, ok, some, warning } from './check.ts';

const CATEGORY = 'Kubernetes';
/** Sidecars are native ones, and end by `preStop: sleep`. */
const OLDEST_MINOR = 30;
/** Certificates are backdated by an hour; tokens and tests of time bear less. */
const SKEW_MS = 5000;
/** Kubelets renew their lease each 10 s. */
const SILENT_MS = 60_000;

type NodeObject = KubeObject & {
  readonly status?: { readonly conditions?: readonly { type: string; status: string }[] };
};

export const apiVersion: Check = {
  category: CATEGORY,
  title: "the API server's version",
  essential: true,
  async run({ api }) {
    const { gitVersion, major, minor } = await api.raw<{ gitVersion: string; major: string; minor: string }>(
      '/version',
    );
    const number = Number.parseInt(minor, 10);
    if (Number(major) === 1 && number < OLDEST_MINOR) {
      const next = `upgrade the cluster to 1.${OLDEST_MINOR} or later`;
      return [failed(`the API server answers, but is of Kubernetes ${gitVersion}, which has no sleep hooks`, next)];
    }
    return [ok(`the API server answers, and is of Kubernetes ${gitVersion}`)];
  },
};

export const clocks: Check = {
  category: CATEGORY,
  title: 'clocks',
  async run(context) {
    const [{ items: nodes }, { items: leases }] = await Promise.all([
      context.api.list<NodeObject>(NODE),
      context.api.list<Lease>(LEASE, { namespace: 'kube-node-lease' }),
    ]);
    const offset = context.api.transport.clockOffsetMs ?? 0;
    return [...ownClock(offset), ...nodeClocks(nodes, leases, Date.now() + offset)];
  },
};

/** @param offset by how much the API server is ahead of this machine, ms; known to the second */
function ownClock(offset: number): Finding[] {
  if (Math.abs(offset) <= SKEW_MS) return [ok('the clock of this machine agrees with that of the API server')];
  const message = `the clock of this machine is ${Math.round(Math.abs(offset) / 1000)} s ${offset > 0 ? 'behind' : 'ahead of'} the API server's`;
  return [warning(message, 'set it by NTP; times shown here are off by that')];
}

/**
 * Judges nodes' clocks by the times that their kubelets write into their leases.
 * @param now of the API server, ms since 1970
 */
export function nodeClocks(nodes: readonly NodeObject[], leases: readonly Lease[], now: number): Finding[] {
  const renewed = new Map(leases.map(({ metadata, spec }) => [metadata.name, Date.parse(spec?.renewTime ?? '')]));
  const off = nodes.flatMap(({ metadata, status }) => {
    const at = renewed.get(metadata?.name);
    const isReady = status?.conditions?.some(({ type, status: holds }) => type === 'Ready' && holds === 'True');
    if (at === undefined || Number.isNaN(at)) return [];
    // One that is silent is not Ready: where it is, its clock is what is wrong.
    if (at - now > SKEW_MS) return [`${metadata?.name} (${Math.round((at - now) / 1000)} s ahead)`];
    return isReady && now - at > SILENT_MS ? [`${metadata?.name} (${Math.round((now - at) / 1000)} s behind)`] : [];
  });
  if (off.length === 0) return [ok(`the clocks of ${nodes.length} nodes agree with that of the API server`)];
  const next = 'set them by NTP; certificates bear an hour, tokens and limits by time do not';
  return [warning(`clocks of nodes are off: ${some(off)}`, next)];
}
