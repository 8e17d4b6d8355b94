import { NETWORKING_GROUP } from '../../api/networking.ts';
import { carryMetadata, compact, type Manifest, type Notes } from './notes.ts';
import { calledSides, sideServices } from './side-services.ts';

interface FlaggerService {
  name?: string;
  port?: number;
  portName?: string;
  targetPort?: number | string;
  appProtocol?: string;
  portDiscovery?: boolean;
  hosts?: string[];
  gateways?: string[];
  match?: object[];
  rewrite?: object;
  retries?: object;
  timeout?: string;
  corsPolicy?: object;
  headers?: object;
  trafficPolicy?: object;
  [other: string]: unknown;
}

const ROUTE_FIELDS = ['match', 'rewrite', 'retries', 'timeout', 'corsPolicy', 'headers'] as const;
const KNOWN = new Set<string>([
  ...ROUTE_FIELDS,
  ...['name', 'port', 'portName', 'targetPort', 'appProtocol', 'portDiscovery', 'hosts', 'gateways', 'trafficPolicy'],
]);

/** Name of the Service that Flagger makes of a Canary; undefined: it makes none. */
export function serviceName({ spec }: Manifest): string | undefined {
  const service = spec?.service as FlaggerService | undefined;
  const target = spec?.targetRef as { name?: string } | undefined;
  return service === undefined ? undefined : (service.name ?? target?.name);
}

/**
 * The Service, VirtualService and DestinationRule that Flagger would generate of `spec.service`; here they are the user's own.
 * @param calling texts that may call the Services which Flagger makes beside it
 */
export function convertService(manifest: Manifest, notes: Notes, calling: string): Manifest[] {
  const service = manifest.spec?.service as FlaggerService | undefined;
  const target = (manifest.spec?.targetRef as { name?: string } | undefined)?.name;
  if (service === undefined) return [];
  for (const field of Object.keys(service)) {
    if (!KNOWN.has(field))
      notes.add(`spec.service.${field}`, 'dropped: give the Service or VirtualService what it is to have');
  }
  if (service.portDiscovery) notes.add('spec.service.portDiscovery', 'dropped: list the other ports in the Service');
  const name = serviceName(manifest) ?? '';
  notes.add(
    'spec.service',
    `the Service ${name} is yours now; see that its selector app: ${target} is that of the workload's pods`,
  );
  const { labels: _labels, annotations: _annotations, ...metadata } = carryMetadata(manifest, name);
  const spec = { selector: { app: target }, ports: [portOf(service)] };
  const own: Manifest = { apiVersion: 'v1', kind: 'Service', metadata, spec };
  const made = [own, ...sideServices(own, calledSides(calling, name), notes)];
  const rule = virtualService(service, name, metadata);
  if (rule) made.push(rule);
  if (service.trafficPolicy) {
    const spec = { host: name, trafficPolicy: service.trafficPolicy };
    made.push({ apiVersion: `${NETWORKING_GROUP}/v1`, kind: 'DestinationRule', metadata, spec });
  }
  return made;
}

function portOf({ port, portName = 'http', targetPort, appProtocol }: FlaggerService): object {
  return compact({ name: portName, port, targetPort: targetPort ?? port, appProtocol });
}

/** Only where it would say more than that requests go to the Service. */
function virtualService(
  service: FlaggerService,
  name: string,
  metadata: NonNullable<Manifest['metadata']>,
): Manifest | undefined {
  const { hosts = [], gateways } = service;
  const fields = Object.fromEntries(ROUTE_FIELDS.map((field) => [field, service[field]]));
  const route = { ...compact(fields), route: [{ destination: { host: name } }] };
  if (Object.keys(route).length === 1 && hosts.length === 0 && gateways === undefined) return undefined;
  const spec = compact({ hosts: [...new Set([...hosts, name])], gateways, http: [route] });
  return { apiVersion: `${NETWORKING_GROUP}/v1`, kind: 'VirtualService', metadata, spec };
}
