import type { DestinationPolicy, SubsetPolicy, TrafficPolicy } from '../../../operator/mesh/destination-policy.ts';
import { effectivePolicy } from '../../../operator/mesh/destination-selection.ts';
import { coversHostname } from '../../../operator/mesh/hostname.ts';
import { portMode } from '../../../operator/mesh/mtls.ts';
import type { MeshService, MeshSnapshot } from '../../../operator/mesh/snapshot.ts';
import { isVisibleTo } from '../../../operator/mesh/visibility.ts';
import { selects } from '../../../operator/xds/destination.ts';
import type { Analyzer } from '../context.ts';
import type { Finding } from '../message.ts';
import { originOf } from '../message.ts';

type Tls = NonNullable<TrafficPolicy['tls']>;

/** DestinationRules whose TLS is not that of the servers, or trusts any of them. */
export const analyzeTransportSecurity: Analyzer = function* ({ snapshot }) {
  for (const rule of snapshot.destinationPolicies.values()) {
    for (const place of placesOf(rule)) {
      yield* unverified(rule, place);
      yield* conflicts(snapshot, rule, place);
    }
  }
};

interface TlsPlace {
  readonly tls: Tls;
  readonly field: string;
  readonly port?: number;
  readonly subset?: SubsetPolicy;
}

function placesOf({ policy, subsets }: DestinationPolicy): TlsPlace[] {
  const of = (one: TrafficPolicy | undefined, field: string): TlsPlace[] => [
    ...(one?.tls === undefined ? [] : [{ tls: one.tls, field: `${field}.tls` }]),
    ...(one?.portLevelSettings ?? []).flatMap(({ tls, port }, index) =>
      tls === undefined ? [] : [{ tls, field: `${field}.portLevelSettings[${index}].tls`, port: port?.number ?? 0 }],
    ),
  ];
  return [
    ...of(policy, 'spec.trafficPolicy'),
    ...subsets.flatMap((subset, index) =>
      of(subset.policy, `spec.subsets[${index}].trafficPolicy`).map((place) => ({ ...place, subset })),
    ),
  ];
}

function* unverified({ object, host }: DestinationPolicy, { tls, field, port }: TlsPlace): Generator<Finding> {
  if ((tls.mode !== 'SIMPLE' && tls.mode !== 'MUTUAL') || tls.insecureSkipVerify === true) return;
  if ((tls.caCertificates ?? '') !== '' || (tls.credentialName ?? '') !== '') return;
  const names = `DestinationRule ${object.name} in namespace ${object.namespace} has TLS mode set to ${tls.mode}`;
  const rest = `but no caCertificates are set to validate server identity for host: ${host}`;
  if (port === undefined) yield { code: 'IST0128', object, field, message: `${names} ${rest}` };
  else yield { code: 'IST0129', object, field, message: `${names} ${rest} at port ${port}` };
}

/** Plaintext to servers that take mutual TLS alone, or the other way round: each call fails. */
function* conflicts(snapshot: MeshSnapshot, rule: DestinationPolicy, place: TlsPlace): Generator<Finding> {
  const wantsMtls = place.tls.mode === 'ISTIO_MUTUAL';
  for (const service of snapshot.services.values()) {
    if (!coversHostname(rule.host, service.hostname) || !isVisibleTo(service.visibility, rule.object.namespace))
      continue;
    const found = opposing(snapshot, service, portsUnder(rule, place, service), place.subset, wantsMtls);
    if (found === undefined) continue;
    const { policy } = found;
    const message = `A DestinationRule and Policy are in conflict with regards to mTLS for host ${service.hostname}. The DestinationRule "${rule.object.namespace}/${rule.object.name}" specifies that mTLS must be ${wantsMtls} but ${policy} specifies ${found.mode}.`;
    yield { code: 'IST0113', object: rule.object, field: place.field, message };
    return;
  }
}

/** Names of the service's ports for which the TLS of a place is what the rule comes to. */
function portsUnder({ policy, subsets }: DestinationPolicy, { tls, subset }: TlsPlace, { ports }: MeshService) {
  const selected = { keys: [], ...(policy && { policy }), subsets: new Map(subsets.map((one) => [one.name, one])) };
  return ports.filter(({ port }) => effectivePolicy(selected, subset?.name, port).tls === tls).map(({ name }) => name);
}

function opposing(
  { endpoints, workloads }: MeshSnapshot,
  { key }: MeshService,
  names: readonly string[],
  subset: SubsetPolicy | undefined,
  wantsMtls: boolean,
) {
  const mode = wantsMtls ? 'DISABLE' : 'STRICT';
  for (const { workload = '', ports, labels } of endpoints.get(key) ?? []) {
    const found = workloads.get(workload);
    if (found === undefined || (subset !== undefined && !selects(subset.labels, labels))) continue;
    if (!names.some((name) => ports[name] !== undefined && portMode(found.mtls, ports[name]) === mode)) continue;
    const policy = found.mtls.policies.at(-1);
    return { mode, policy: policy === undefined ? 'the default' : `the Policy object "${originOf(policy)}"` };
  }
  return undefined;
}
