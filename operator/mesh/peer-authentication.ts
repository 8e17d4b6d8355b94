import {
  PEER_AUTHENTICATION_KIND,
  type PeerAuthentication,
  peerAuthenticationSpec,
} from '../../api/peer-authentication.ts';
import { byAge, creationTime, keyOf } from './mesh-object.ts';
import type { ObjectRef } from './object-ref.ts';
import type { Labels } from './selector.ts';
import type { MtlsMode, Problem } from './snapshot.ts';

/** What the mesh reads of a PeerAuthentication. */
export interface PeerAuthenticationFacts {
  readonly key: string;
  readonly ref: ObjectRef;
  readonly createdAt: number;
  readonly generation: number;
  readonly selector: Labels;
  /** Absent: inherited from the wider scope (UNSET). */
  readonly mode?: MtlsMode;
  /** Workload ports; `inherit` is UNSET. Empty without a selector, for then Istio ignores them. */
  readonly ports: Readonly<Record<number, MtlsMode | 'inherit'>>;
  /** What is wrong with it in itself. */
  readonly problems: readonly Problem[];
}

/** Policies of one namespace by scope. */
export interface PolicyScope {
  /** The oldest one without a selector: the namespace's, or, in the root namespace, the mesh's. */
  readonly blanket: PeerAuthenticationFacts | undefined;
  /** Others without a selector. */
  readonly ignored: readonly PeerAuthenticationFacts[];
  /** Those with a selector, the oldest first. */
  readonly selective: readonly PeerAuthenticationFacts[];
}

/** Reads a PeerAuthentication. A malformed part is a problem and is treated as if it were not there. */
export function readPeerAuthentication(policy: PeerAuthentication): PeerAuthenticationFacts {
  const spec = policy.spec ?? {};
  const selector = spec.selector?.matchLabels ?? {};
  const mode = readMode(spec.mtls?.mode);
  const selective = Object.keys(selector).length > 0;
  const ref: ObjectRef = {
    kind: PEER_AUTHENTICATION_KIND,
    namespace: policy.metadata.namespace,
    name: policy.metadata.name,
  };
  return {
    key: keyOf(policy.metadata),
    ref,
    createdAt: creationTime(policy.metadata),
    generation: policy.metadata.generation ?? 0,
    selector,
    ...(mode === undefined ? {} : { mode }),
    ports: selective ? readPorts(spec.portLevelMtls ?? {}) : {},
    problems: [...validateSpec(ref, policy), ...validatePortScope(ref, selective, spec.portLevelMtls !== undefined)],
  };
}

/** Sorts the policies of one namespace into scopes. */
export function buildScope(policies: Iterable<PeerAuthenticationFacts>): PolicyScope {
  const sorted = [...policies].sort(byAge);
  const isSelective = ({ selector }: PeerAuthenticationFacts) => Object.keys(selector).length > 0;
  const [blanket, ...ignored] = sorted.filter((policy) => !isSelective(policy));
  return { blanket, ignored, selective: sorted.filter(isSelective) };
}

function readMode(mode: string | undefined): MtlsMode | undefined {
  return mode === 'STRICT' || mode === 'PERMISSIVE' || mode === 'DISABLE' ? mode : undefined;
}

function readPorts(
  levels: Readonly<Record<string, { mode?: string | undefined }>>,
): Record<number, MtlsMode | 'inherit'> {
  const ports: Record<number, MtlsMode | 'inherit'> = {};
  for (const [text, level] of Object.entries(levels)) {
    const port = Number(text);
    if (Number.isInteger(port) && port > 0 && port <= 65_535) ports[port] = readMode(level?.mode) ?? 'inherit';
  }
  return ports;
}

function validateSpec(ref: ObjectRef, policy: PeerAuthentication): Problem[] {
  const result = peerAuthenticationSpec.safeParse(policy.spec ?? {});
  return (result.error?.issues ?? [])
    .filter(({ path }) => path.length > 0)
    .map(({ path, message }) => ({
      object: ref,
      condition: 'Accepted',
      reason: 'Invalid',
      message: `spec.${path.join('.')}: ${message}; this part is ignored.`,
    }));
}

function validatePortScope(ref: ObjectRef, selective: boolean, hasPorts: boolean): Problem[] {
  if (selective || !hasPorts) return [];
  const message =
    'spec.portLevelMtls needs spec.selector.matchLabels: the ports are ignored, spec.mtls applies. ' +
    'Add a selector, or remove the ports.';
  return [{ object: ref, condition: 'Accepted', reason: 'SelectorRequired', message }];
}
