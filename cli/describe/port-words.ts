import { protocolOf } from '../../operator/mesh/protocol.ts';

/** What a port of a Service says of itself, as it is written. */
export interface WrittenPort {
  readonly name?: string | undefined;
  readonly port: number;
  readonly targetPort?: number | string | undefined;
  readonly protocol?: string | undefined;
  readonly appProtocol?: string | undefined;
}

/** How the protocol of a port comes to be known, in words. */
export function protocolWords({ name, port, targetPort, protocol, appProtocol }: WrittenPort): string {
  const numbers = [port, ...(typeof targetPort === 'number' ? [targetPort] : [])];
  const read = protocolOf({ name, protocol, appProtocol, numbers });
  if (read === 'udp') return `${protocol}: it does not pass the mesh`;
  if (read === 'auto') return 'detected on each connection: neither appProtocol nor its name says what it is';
  const declared = protocolOf({ name, protocol, appProtocol, numbers: [] });
  if (declared === 'auto') return `${read}, by its number, at which servers speak first`;
  return appProtocol === undefined ? `${read}, by its name "${name}"` : `${read}, by appProtocol "${appProtocol}"`;
}
