import type { V1Container, V1LifecycleHandler, V1Probe } from '@kubernetes/client-node';
import { GRPC_PROBE_PORT_BASE, GRPC_PROBE_PORT_COUNT, PROBE_PORT } from './ports.ts';

/** Which probe or hook of a container, as the last part of its path on the probe port. */
export const PROBE_KINDS = ['livez', 'readyz', 'startupz', 'poststart', 'prestop'] as const;
export type ProbeKind = (typeof PROBE_KINDS)[number];

/** The part of a probe or hook that says where to knock, as the user wrote it, with named ports resolved. */
export interface OriginalProbe {
  readonly type: 'http' | 'https' | 'tcp' | 'grpc';
  readonly port: number;
  /** Path and query; HTTP only. */
  readonly path?: string;
  /** How often kubelet asks, in seconds; TCP only. */
  readonly periodSeconds?: number;
  /** Port of ours in place of the application's; gRPC only. */
  readonly listenerPort?: number;
  /** The port's name, where the user wrote one. */
  readonly portName?: string;
}

/** Rewritten probes by their path on the probe port, `/app-health/CONTAINER/KIND`. */
export type ProbeRecord = Readonly<Record<string, OriginalProbe>>;

export interface ProbeRewrite {
  readonly containers: V1Container[];
  readonly probes: ProbeRecord;
  readonly problems: readonly string[];
}

/** Anything with a handler in it: probes and lifecycle hooks. */
type Handler = Pick<V1Probe, 'httpGet' | 'tcpSocket' | 'grpc'> | V1LifecycleHandler;

/** Path that stands for one probe. */
export function probePath(container: string, kind: ProbeKind): string {
  return `/app-health/${container}/${kind}`;
}

/**
 * Points the network probes and `httpGet` hooks of containers at the sidecar's plaintext ports, so that kubelet, which has no mesh
 * identity, passes under STRICT. Probes that exec, that name a host, or whose port name the container lacks stay as they are.
 * @param containers application and native sidecar containers, without ours
 * @param known probes rewritten earlier (from the status annotation): rewriting twice changes nothing
 */
export function rewriteProbes(containers: readonly V1Container[], known: ProbeRecord): ProbeRewrite {
  const state: State = { probes: {}, known, grpc: new Map(), problems: [] };
  const rewritten = containers.map((container) => rewriteContainer(container, state));
  return { containers: rewritten, probes: state.probes, problems: state.problems };
}

interface State {
  readonly probes: Record<string, OriginalProbe>;
  readonly known: ProbeRecord;
  /** Application's gRPC port to ours. */
  readonly grpc: Map<number, number>;
  readonly problems: string[];
}

function rewriteContainer(container: V1Container, state: State): V1Container {
  const next = { ...container };
  const { livenessProbe, readinessProbe, startupProbe, lifecycle } = container;
  if (livenessProbe) next.livenessProbe = rewriteHandler(container, 'livez', livenessProbe, state);
  if (readinessProbe) next.readinessProbe = rewriteHandler(container, 'readyz', readinessProbe, state);
  if (startupProbe) next.startupProbe = rewriteHandler(container, 'startupz', startupProbe, state);
  const { postStart, preStop } = lifecycle ?? {};
  // A tcpSocket hook is accepted by the API and never run by kubelet, so only httpGet counts.
  if (lifecycle && postStart?.httpGet) {
    next.lifecycle = { ...lifecycle, postStart: rewriteHandler(container, 'poststart', postStart, state) };
  }
  if (lifecycle && preStop?.httpGet) {
    next.lifecycle = { ...next.lifecycle, preStop: rewriteHandler(container, 'prestop', preStop, state) };
  }
  return next;
}

function rewriteHandler<T extends Handler>(container: V1Container, kind: ProbeKind, handler: T, state: State): T {
  const path = probePath(container.name, kind);
  const known = Object.hasOwn(state.known, path) ? state.known[path] : undefined;
  const original = known && isRewritten(handler, path) ? known : readOriginal(container, handler);
  if (!original) return handler;
  if (original.type === 'grpc') return rewriteGrpc(handler, path, original, state);
  state.probes[path] = original;
  const { tcpSocket: _tcp, ...rest } = handler as V1Probe;
  // Kubelet speaks plain HTTP to us; HTTPS is for us to speak to the application.
  const scheme = rest.httpGet?.scheme === undefined ? {} : { scheme: 'HTTP' };
  const httpGet = { ...rest.httpGet, path, port: PROBE_PORT, ...scheme };
  return { ...rest, httpGet } as T;
}

function rewriteGrpc<T extends Handler>(handler: T, path: string, original: OriginalProbe, state: State): T {
  const listenerPort = state.grpc.get(original.port) ?? GRPC_PROBE_PORT_BASE + state.grpc.size;
  if (listenerPort >= GRPC_PROBE_PORT_BASE + GRPC_PROBE_PORT_COUNT) {
    state.problems.push(
      `spec.containers: more than ${GRPC_PROBE_PORT_COUNT} different ports have gRPC probes; use fewer ports`,
    );
    return handler;
  }
  state.grpc.set(original.port, listenerPort);
  state.probes[path] = { ...original, listenerPort };
  return { ...handler, grpc: { ...(handler as V1Probe).grpc, port: listenerPort } };
}

/** True when a handler already points at us. */
function isRewritten(handler: Handler, path: string): boolean {
  const probe = handler as V1Probe;
  if (probe.grpc)
    return probe.grpc.port >= GRPC_PROBE_PORT_BASE && probe.grpc.port < GRPC_PROBE_PORT_BASE + GRPC_PROBE_PORT_COUNT;
  return probe.httpGet?.port === PROBE_PORT && probe.httpGet.path === path;
}

function readOriginal(container: V1Container, handler: Handler): OriginalProbe | undefined {
  const { httpGet, tcpSocket, grpc } = handler as V1Probe;
  if (grpc) return { type: 'grpc', port: grpc.port };
  const target = httpGet ?? tcpSocket;
  // With a host, kubelet calls that host and not the pod: nothing of it passes our listeners.
  if (!target || target.host) return undefined;
  const port = resolvePort(container, target.port);
  if (port === undefined) return undefined;
  const named = typeof target.port === 'string' && !/^\d+$/.test(target.port) ? { portName: target.port } : {};
  if (!httpGet) return { type: 'tcp', port, periodSeconds: (handler as V1Probe).periodSeconds || 10, ...named };
  const type = httpGet.scheme === 'HTTPS' ? 'https' : 'http';
  return { type, port, path: normalizePath(httpGet.path), ...named };
}

/** Kubelet's rule: a number, a number as text, or the name of one of the container's own ports. */
function resolvePort(container: V1Container, port: number | string): number | undefined {
  const byName = container.ports?.find((each) => each.name === port)?.containerPort;
  const value = typeof port === 'number' ? port : (byName ?? (/^\d+$/.test(port) ? Number(port) : undefined));
  return value !== undefined && value >= 1 && value <= 65_535 ? value : undefined;
}

/** The path as kubelet would put it on the wire: rooted, without a fragment, percent-encoded where HTTP demands it. */
function normalizePath(path: string | undefined): string {
  const [withoutFragment = ''] = (path ?? '').toWellFormed().split('#');
  const rooted = withoutFragment.startsWith('/') ? withoutFragment : `/${withoutFragment}`;
  return encodeURI(rooted).replaceAll('%25', '%');
}
