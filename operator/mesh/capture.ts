import { EXCLUDE_INBOUND_PORTS, INCLUDE_INBOUND_PORTS } from '../../api/pod-names.ts';

/** Which ports of a pod its sidecar serves (Istio's annotations `traffic.sidecar.istio.io/{include,exclude}InboundPorts`). */
export interface InboundCapture {
  /** `*`: all but those excluded. A list: only those, whatever is excluded. */
  readonly include: '*' | readonly number[];
  readonly exclude: readonly number[];
}

const ALL: InboundCapture = { include: '*', exclude: [] };

/** Reads a pod's annotations. What the webhook would refuse counts as not said. */
export function readCapture(annotations: Readonly<Record<string, string>> | undefined): InboundCapture {
  const include = annotations?.[INCLUDE_INBOUND_PORTS]?.trim() ?? '*';
  const exclude = annotations?.[EXCLUDE_INBOUND_PORTS] ?? '';
  if (include === '*' && exclude === '') return ALL;
  return { include: include === '*' ? '*' : (ports(include) ?? '*'), exclude: ports(exclude) ?? [] };
}

/** Whether connections to a port reach the sidecar, and not the application itself. */
export function isCaptured({ include, exclude }: InboundCapture, port: number): boolean {
  return include === '*' ? !exclude.includes(port) : include.includes(port);
}

function ports(text: string): readonly number[] | undefined {
  const parts = text.split(',').map((part) => part.trim());
  if (parts.length === 1 && parts[0] === '') return [];
  return parts.every((part) => /^\d{1,5}$/.test(part)) ? parts.map(Number) : undefined;
}
