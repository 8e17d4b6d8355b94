import { type ObjectKey, objectKey } from './object-ref.ts';
import type { PeerAuthenticationFacts, PolicyScope } from './peer-authentication.ts';
import { type Labels, matchSelector } from './selector.ts';
import type { EffectiveMtls, MtlsMode } from './snapshot.ts';

/** How the PeerAuthentications come out for one pod. */
export interface MtlsDecision {
  readonly effective: EffectiveMtls;
  /** All that match the pod, whether or not they decide. */
  readonly selecting: readonly ObjectKey[];
  /** Those with a selector that an older one set aside here, with the winner. */
  readonly losers: readonly ObjectKey[];
  readonly winner?: ObjectKey;
}

/**
 * PeerAuthentication as Istio composes it: workload over namespace over mesh, the oldest of each scope, UNSET inherits,
 * PERMISSIVE when nobody says anything. Policies with a selector in the root namespace apply to no one.
 * @param namespace scope of the pod's namespace; undefined for pods in the root namespace, where only the mesh's applies
 */
export function matchMtls(mesh: PolicyScope, namespace: PolicyScope | undefined, labels: Labels): MtlsDecision {
  const matching = (namespace?.selective ?? []).filter(({ selector }) => matchSelector(selector, labels));
  const [workload, ...losers] = matching;
  const chain = [workload, namespace?.blanket, mesh.blanket].filter((policy) => policy !== undefined);
  const decider = chain.findIndex(({ mode }) => mode !== undefined);
  const mode = chain[decider]?.mode ?? 'PERMISSIVE';
  const consulted = decider < 0 ? chain : chain.slice(0, decider + 1);
  return {
    effective: { mode, ports: portModes(workload, mode), policies: consulted.map(({ ref }) => ref) },
    selecting: [...matching, ...chain.slice(workload === undefined ? 0 : 1)].map(({ ref }) => objectKey(ref)),
    losers: losers.map(({ ref }) => objectKey(ref)),
    ...(workload === undefined ? {} : { winner: objectKey(workload.ref) }),
  };
}

/** Mode that applies to one port of a workload. */
export function portMode(mtls: EffectiveMtls, port: number): MtlsMode {
  return mtls.ports[port] ?? mtls.mode;
}

/**
 * Which of the ports of an endpoint callers speak plaintext to; `all`: it speaks no mesh mTLS.
 * @param ports of services, as container ports; none: what is true of the workload is true of it
 */
export function plainPorts(
  { mode }: EffectiveMtls,
  ports: readonly number[],
  isPlain: (port: number) => boolean,
): readonly number[] | 'all' {
  const plain = [...new Set(ports.filter(isPlain))].sort((a, b) => a - b);
  const every = ports.length === 0 ? mode === 'DISABLE' : ports.every((port) => plain.includes(port));
  return every ? 'all' : plain;
}

/** Ports whose mode differs from the rest, so that equal outcomes have equal values. */
function portModes(workload: PeerAuthenticationFacts | undefined, mode: MtlsMode): Readonly<Record<number, MtlsMode>> {
  const ports: Record<number, MtlsMode> = {};
  for (const [port, level] of Object.entries(workload?.ports ?? {})) {
    if (level !== 'inherit' && level !== mode) ports[Number(port)] = level;
  }
  return ports;
}
