import { DEPLOYMENT, LEASE, NAMESPACE } from '../../kube/kinds.ts';
import type { Lease } from '../../kube/leader-election.ts';
import { OPERATOR_SERVICE, SYSTEM_NAMESPACE, WEBHOOK_SERVICE } from '../../proxy/names.ts';
import { DEPLOYMENTS, VERSION_LABEL } from '../install/customize.ts';
import { clientVersion } from '../install/home.ts';
import { type DeploymentState, podProblem, rolloutState } from '../install/readiness.ts';
import { type Check, type Finding, failed, ok, skipped, some, warning } from './check.ts';

const CATEGORY = 'Control plane';
const MANY_RESTARTS = 5;

const deploymentCheck = (name: string): Check => ({
  category: CATEGORY,
  title: `Deployment ${name}`,
  async run(context) {
    const deployment = await context.get<DeploymentState>(DEPLOYMENT, { namespace: SYSTEM_NAMESPACE, name });
    if (!deployment) return [failed(`Deployment ${name} is not there`, 'heddle install')];
    const pods = await context.controlPlanePods(name);
    const state = rolloutState(deployment);
    const look = `kubectl -n ${SYSTEM_NAMESPACE} logs deployment/${name}; kubectl -n ${SYSTEM_NAMESPACE} get events`;
    if (state !== undefined) {
      const why = [...new Set(pods.flatMap((pod) => podProblem(pod as never) ?? []))];
      return [failed(`${name}: ${state}${why.length > 0 ? `: ${why.join('; ')}` : ''}`, look)];
    }
    const replicas = deployment.spec?.replicas ?? 1;
    const restarted = pods.filter(({ status }) =>
      status?.containerStatuses?.some(({ restartCount }) => restartCount >= MANY_RESTARTS),
    );
    return [
      ok(`${name}: ${replicas} of ${replicas} pods are available`),
      ...(restarted.length > 0 ? [warning(`pods of ${name} restart often: ${podNames(restarted)}`, look)] : []),
      ...tooFew(name, replicas),
    ];
  },
});

function tooFew(name: string, replicas: number): Finding[] {
  if (name !== WEBHOOK_SERVICE || replicas > 1) return [];
  const message = 'one replica of the webhook is too few: while it is away no pod of the mesh can be made';
  return [warning(message, `kubectl -n ${SYSTEM_NAMESPACE} scale deployment/${name} --replicas=2`)];
}

const podNames = (pods: readonly { metadata?: { name?: string } }[]): string =>
  some(pods.map(({ metadata }) => metadata?.name ?? ''));

export const installed: Check = {
  category: CATEGORY,
  title: 'an installation',
  essential: true,
  async run(context) {
    if (await context.get(NAMESPACE, { name: SYSTEM_NAMESPACE })) return [];
    return [
      failed(
        `Heddle is not installed: there is no namespace ${SYSTEM_NAMESPACE}`,
        'heddle check --pre, then heddle install',
      ),
    ];
  },
};

export const deployments: readonly Check[] = DEPLOYMENTS.map(deploymentCheck);

export const leader: Check = {
  category: CATEGORY,
  title: 'the leader of the operator',
  async run(context) {
    const lease = await context.get<Lease>(LEASE, { namespace: SYSTEM_NAMESPACE, name: OPERATOR_SERVICE });
    const serverNow = Date.now() + (context.api.transport.clockOffsetMs ?? 0);
    return [judgeLease(lease, serverNow)];
  },
};

/** @param now of the API server, ms since 1970; the leader's clock may be another, so twice the time is given */
export function judgeLease(lease: Lease | undefined, now: number): Finding {
  const next = `without a leader nobody writes status, certificates of the webhook, and Canaries: kubectl -n ${SYSTEM_NAMESPACE} logs deployment/${OPERATOR_SERVICE}`;
  const { holderIdentity, renewTime, leaseDurationSeconds = 15 } = lease?.spec ?? {};
  if (!holderIdentity || !renewTime) return failed('no replica of the operator leads', next);
  const age = Math.round((now - Date.parse(renewTime)) / 1000);
  if (age > 2 * leaseDurationSeconds)
    return failed(`${holderIdentity} leads, but has not renewed that for ${age} s`, next);
  return ok(`${holderIdentity} leads`);
}

export const versions: Check = {
  category: CATEGORY,
  title: 'versions',
  async run(context) {
    const found = await Promise.all(
      DEPLOYMENTS.map((name) => context.get<DeploymentState>(DEPLOYMENT, { namespace: SYSTEM_NAMESPACE, name })),
    );
    const images = new Set(
      found.flatMap((each) => each?.spec?.template?.spec?.containers?.map(({ image }) => image) ?? []),
    );
    const version = found.map((each) => each?.metadata?.labels?.[VERSION_LABEL]).find((label) => label !== undefined);
    const own = await clientVersion();
    const findings: Finding[] = [];
    if (images.size > 1) {
      findings.push(
        warning(`operator and webhook are of different images: ${[...images].join(', ')}`, 'heddle upgrade'),
      );
    }
    if (version === undefined)
      findings.push(skipped('the version was not written down, as it was not heddle that installed'));
    else if (version !== own)
      findings.push(warning(`Heddle ${version} is installed, and this program is of ${own}`, 'heddle upgrade'));
    else findings.push(ok(`Heddle ${version} is installed, as this program is`));
    return findings;
  },
};

export const settings: Check = {
  category: CATEGORY,
  title: "the mesh's settings (ConfigMap heddle-mesh)",
  async run(context) {
    const { trustDomain } = await context.mesh();
    return [ok(`the mesh's settings can be read; its trust domain is ${trustDomain}`)];
  },
};
