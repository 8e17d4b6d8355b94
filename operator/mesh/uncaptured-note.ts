import { EXCLUDE_INBOUND_PORTS, INCLUDE_INBOUND_PORTS } from '../../api/pod-names.ts';
import type { InboundCapture } from './capture.ts';
import { type MtlsDecision, portMode } from './mtls.ts';
import { objectKey } from './object-ref.ts';
import type { PeerAuthenticationFacts } from './peer-authentication.ts';
import type { PodFacts } from './pod.ts';
import type { EffectiveMtls, MeshSettings } from './snapshot.ts';
import type { MeshTables } from './tables.ts';

/** What is asked of the mesh. */
interface NoteContext {
  readonly settings: MeshSettings;
  readonly tables: MeshTables;
  readonly mtls: ReadonlyMap<string, MtlsDecision>;
}

/**
 * Where a policy is not in force although its proxy has it: on ports that a pod's annotations keep from the sidecar, and that must have mTLS by
 * the policy. One pod is named for all, as their user would begin with one.
 */
export function noteUncaptured({ settings, tables, mtls }: NoteContext, policy: PeerAuthenticationFacts): string[] {
  const { namespace } = policy.ref;
  const everywhere = namespace === settings.rootNamespace;
  for (const pod of tables.pods.select('partial', everywhere ? '*' : namespace)) {
    const effective = mtls.get(pod.uid)?.effective;
    if (effective === undefined || !effective.policies.some((ref) => objectKey(ref) === objectKey(policy.ref)))
      continue;
    const ports = openPorts(pod.capture, effective);
    if (ports !== undefined) return [sentence(pod, ports)];
  }
  return [];
}

function openPorts({ include, exclude }: InboundCapture, effective: EffectiveMtls): string | undefined {
  if (include !== '*') {
    if (effective.mode !== 'STRICT') return undefined;
    return include.length === 0 ? 'no port' : `no port but ${include.join(', ')}`;
  }
  const open = exclude.filter((port) => portMode(effective, port) === 'STRICT');
  return open.length === 0 ? undefined : `not port ${open.join(', ')}`;
}

function sentence({ namespace, name, capture }: PodFacts, ports: string): string {
  const annotation = capture.include === '*' ? EXCLUDE_INBOUND_PORTS : INCLUDE_INBOUND_PORTS;
  return (
    `STRICT is not in force everywhere: the sidecar of pod ${namespace}/${name} serves ${ports}, as its annotation ${annotation} says, and ` +
    'what it does not serve takes plaintext from anybody.'
  );
}
