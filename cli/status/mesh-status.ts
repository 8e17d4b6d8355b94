import type { ControlPlaneView, ProxiesView, ProxyState, ProxyView } from '../../api/view/control-plane-view.ts';
import { paint } from '../terminal/colour.ts';
import { formatSeconds } from '../terminal/estimate.ts';
import { formatTable } from '../terminal/table.ts';
import { describeState, PROXY_STATES } from './proxy-state.ts';

export interface MeshStatus {
  readonly controlPlane: ControlPlaneView;
  readonly proxies: ProxiesView;
}

/** Certificates of the mesh renew themselves long before; one that has less than this left was not renewed. */
const CERTIFICATE_WARNING_MS = 6 * 3600 * 1000;

/** Whether nothing is amiss: every replica is heard and has no problem, one leads, every sidecar has the newest or is being sent it, and no certificate is about to end. */
export function isWell(status: MeshStatus): boolean {
  return problemsOf(status).length === 0;
}

/** What is amiss, in sentences. */
export function problemsOf({ controlPlane, proxies }: MeshStatus): string[] {
  const { replicas, certificates } = controlPlane;
  const at = proxies.at;
  return [
    ...replicas.flatMap(({ name, heard, problems = [] }) => [
      ...(heard ? [] : [`replica ${name} is not heard: what it knows is not shown`]),
      ...problems.map((problem) => `${name}: ${problem}`),
    ]),
    ...(replicas.some(({ leader }) => leader) ? [] : ['no replica leads: statuses and canaries stand still']),
    ...certificates
      .filter(({ notAfter }) => Date.parse(notAfter) - at < CERTIFICATE_WARNING_MS)
      .map(({ name, notAfter }) => `certificate ${name} ends ${notAfter}`),
    ...PROXY_STATES.filter((state) => state !== 'synced' && state !== 'syncing').flatMap((state) => {
      const many = countOf(proxies, state);
      return many === 0 ? [] : [`${many === 1 ? '1 sidecar is' : `${many} sidecars are`} ${state}`];
    }),
  ];
}

/** The summary, then the control plane, its certificates, and the sidecars, what is wrong first. */
export function formatMesh(
  status: MeshStatus,
  { namespace, wide }: { readonly namespace?: string | undefined; readonly wide: boolean },
): string {
  const { controlPlane, proxies } = status;
  return [
    ...formatSummary(status),
    '',
    formatTable(
      ['replica', 'leader', 'streams', 'state'],
      controlPlane.replicas.map(({ name, leader, heard, streams, problems }) => [
        name,
        leader ? 'yes' : '',
        streams === undefined ? '?' : `${streams}`,
        heard
          ? problems?.length
            ? paint('red', `${problems.length} problems`)
            : paint('green', 'ready')
          : paint('yellow', 'not heard'),
      ]),
    ),
    '',
    formatTable(
      ['certificate', 'subject', 'ends', ...(wide ? ['serial'] : [])],
      controlPlane.certificates.map(({ name, subject, notAfter, serial }) => [
        name,
        subject,
        ending(notAfter, proxies.at),
        ...(wide ? [serial] : []),
      ]),
    ),
    '',
    formatProxies(proxies, { namespace, wide }),
  ].join('\n');
}

function countOf({ proxies }: ProxiesView, of: ProxyState): number {
  return proxies.filter(({ state }) => state === of).length;
}

function formatSummary(status: MeshStatus): string[] {
  const { controlPlane, proxies } = status;
  const { version, trustDomain, replicas } = controlPlane;
  const total = proxies.proxies.length;
  const [synced, underWay] = [countOf(proxies, 'synced'), countOf(proxies, 'syncing')];
  const syncing = underWay > 0 ? `, ${underWay} syncing` : '';
  const counts = `${replicas.length} ${replicas.length === 1 ? 'replica' : 'replicas'}, ${synced} of ${total} sidecars synced${syncing}`;
  const problems = problemsOf(status);
  const word = problems.length === 0 ? paint('green', 'The mesh is well') : paint('red', 'The mesh is not well');
  return [`${word}: ${counts} (heddle ${version}, ${trustDomain})`, ...problems.map((problem) => `  - ${problem}`)];
}

function formatProxies(
  { proxies, at }: ProxiesView,
  { namespace, wide }: { readonly namespace?: string | undefined; readonly wide: boolean },
): string {
  if (proxies.length === 0) return `No sidecars${namespace === undefined ? '' : ` in namespace ${namespace}`}.`;
  const named = namespace === undefined;
  const header = [
    ...(named ? ['namespace'] : []),
    ...['pod', 'workload', 'state', 'why'],
    ...(wide ? ['replica', 'connected', 'node', 'certificate ends'] : []),
  ];
  const rows = [...proxies]
    .sort(byUrgency)
    .map((proxy) => [
      ...(named ? [proxy.namespace] : []),
      ...[proxy.pod, proxy.workload, describeState(proxy.state), whyOf(proxy)],
      ...(wide ? wideOf(proxy, at) : []),
    ]);
  return formatTable(header, rows);
}

function wideOf({ replica, connectedSince, node, certificateNotAfter }: ProxyView, at: number): string[] {
  return [
    replica ?? '-',
    connectedSince === undefined ? '-' : formatSeconds((at - connectedSince) / 1000),
    node,
    certificateNotAfter === undefined ? '?' : ending(certificateNotAfter, at),
  ];
}

/** What a sidecar refused, or how much it waits for. */
export function whyOf({ rejections, types }: ProxyView): string {
  const [first] = rejections;
  if (first !== undefined) {
    const more = rejections.length > 1 ? ` (and ${rejections.length - 1} more)` : '';
    return `refused ${first.type} ${first.name}: ${first.message}${more}`;
  }
  const stale = Object.entries(types).filter(([, count]) => count.stale > 0);
  return stale.map(([type, count]) => `${count.stale} of ${count.held} ${type} not the newest`).join(', ');
}

function ending(notAfter: string, at: number): string {
  const left = (Date.parse(notAfter) - at) / 1000;
  if (left <= 0) return paint('red', `ended ${notAfter}`);
  return left > 2 * 86_400 ? `in ${Math.floor(left / 86_400)} days` : `in ${formatSeconds(left)}`;
}

function byUrgency(a: ProxyView, b: ProxyView): number {
  const state = PROXY_STATES.indexOf(a.state) - PROXY_STATES.indexOf(b.state);
  return state || a.namespace.localeCompare(b.namespace) || a.pod.localeCompare(b.pod);
}
