import type { V1Service, V1ServicePort } from '@kubernetes/client-node';
import { type CanarySide, readSide } from '../../api/canary-side.ts';
import { creationTime, keyOf } from './mesh-object.ts';
import { protocolOf } from './protocol.ts';
import type { Labels } from './selector.ts';
import type { Hostname, MeshService, MeshSettings, ServicePort } from './snapshot.ts';
import { readVisibility, type Visibility } from './visibility.ts';

/** Istio's annotation by which a Service is kept to some namespaces. */
const EXPORT_TO = 'networking.istio.io/exportTo';

/** What the mesh reads of a Service. */
export interface ServiceFacts {
  readonly key: string;
  readonly name: string;
  readonly namespace: string;
  readonly createdAt: number;
  readonly kind: MeshService['kind'];
  readonly addresses: readonly string[];
  readonly externalName?: string;
  readonly ports: readonly ServicePort[];
  readonly selector: Labels;
  readonly visibility: Visibility;
  readonly publishNotReady: boolean;
  /** It is the address of one side of a Canary. */
  readonly side?: CanarySide;
  /** The family the Service prefers: of a dual-stack pod only this address is used. */
  readonly family: 'IPv4' | 'IPv6';
}

/** Reads a Service. */
export function readService(service: V1Service): ServiceFacts {
  const { metadata, spec } = service;
  const external = spec?.type === 'ExternalName';
  const headless = spec?.clusterIP === 'None';
  const side = external ? undefined : readSide(service);
  const clusterIps = spec?.clusterIPs ?? (spec?.clusterIP ? [spec.clusterIP] : []);
  return {
    key: keyOf(metadata),
    name: metadata?.name ?? '',
    namespace: metadata?.namespace ?? '',
    createdAt: creationTime(metadata),
    kind: external ? 'ExternalName' : headless ? 'Headless' : 'ClusterIP',
    addresses: external || headless ? [] : clusterIps.filter((address) => address !== ''),
    ...(external && spec.externalName ? { externalName: spec.externalName } : {}),
    ports: (spec?.ports ?? []).map(readPort),
    selector: external ? {} : (spec?.selector ?? {}),
    visibility: readVisibility(readExportTo(metadata?.annotations?.[EXPORT_TO]), metadata?.namespace ?? ''),
    publishNotReady: spec?.publishNotReadyAddresses === true,
    ...(side === undefined ? {} : { side }),
    family: (spec?.ipFamilies?.[0] ?? familyOf(clusterIps[0] ?? '')) === 'IPv6' ? 'IPv6' : 'IPv4',
  };
}

function readExportTo(annotation: string | undefined): string[] | undefined {
  return annotation
    ?.split(',')
    .map((part) => part.trim())
    .filter((part) => part !== '');
}

/** IPv6 addresses have colons, others have none. */
export function familyOf(address: string): 'IPv4' | 'IPv6' {
  return address.includes(':') ? 'IPv6' : 'IPv4';
}

/** DNS name of a Service, given its `namespace/name`. */
export function hostnameOf(settings: MeshSettings, key: string): Hostname {
  const [namespace, name] = key.split('/', 2);
  return `${name}.${namespace}.svc.${settings.clusterDomain}`;
}

function readPort({ name, port, targetPort, protocol, appProtocol }: V1ServicePort): ServicePort {
  const target = targetPort ?? port;
  const numbers = typeof target === 'number' ? [port, target] : [port];
  return { name: name ?? '', port, targetPort: target, protocol: protocolOf({ name, protocol, appProtocol, numbers }) };
}
