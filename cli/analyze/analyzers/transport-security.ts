import type { DestinationPolicy, TrafficPolicy } from '../../../operator/mesh/destination-policy.ts';
import { coversHostname } from '../../../operator/mesh/hostname.ts';
import type { MeshService, MeshSnapshot } from '../../../operator/mesh/snapshot.ts';
import { isVisibleTo } from '../../../operator/mesh/visibility.ts';
import type { Analyzer } from '../context.ts';
import type { Finding } from '../message.ts';
import { originOf } from '../message.ts';

type Tls = NonNullable<TrafficPolicy['tls']>;

/** DestinationRules whose TLS is not that of the servers, or trusts any of them. */
export const analyzeTransportSecurity: Analyzer = function* ({ snapshot }) {
  for (const rule of snapshot.destinationPolicies.values()) {
    for (const { tls, field, port } of placesOf(rule)) {
      yield* unverified(rule, tls, field, port);
      yield* conflicts(snapshot, rule, tls, field);
    }
  }
};

interface TlsPlace {
  readonly tls: Tls;
  readonly field: string;
  readonly port?: number;
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
    ...subsets.flatMap((subset, index) => of(subset.policy, `spec.subsets[${index}].trafficPolicy`)),
  ];
}

function* unverified(
  { object, host }: DestinationPolicy,
  tls: Tls,
  field: string,
  port: number | undefined,
): Generator<Finding> {
  if ((tls.mode !== 'SIMPLE' && tls.mode !== 'MUTUAL') || tls.insecureSkipVerify === true) return;
  if ((tls.caCertificates ?? '') !== '' || (tls.credentialName ?? '') !== '') return;
  const names = `DestinationRule ${object.name} in namespace ${object.namespace} has TLS mode set to ${tls.mode}`;
  const rest = `but no caCertificates are set to validate server identity for host: ${host}`;
  if (port === undefined) yield { code: 'IST0128', object, field, message: `${names} ${rest}` };
  else yield { code: 'IST0129', object, field, message: `${names} ${rest} at port ${port}` };
}

/** Plaintext to servers that take mutual TLS alone, or the other way round: each call fails. */
function* conflicts(snapshot: MeshSnapshot, rule: DestinationPolicy, { mode }: Tls, field: string): Generator<Finding> {
  const wantsMtls = mode === 'ISTIO_MUTUAL';
  for (const service of snapshot.services.values()) {
    if (!coversHostname(rule.host, service.hostname) || !isVisibleTo(service.visibility, rule.object.namespace))
      continue;
    const found = opposing(snapshot, service, wantsMtls ? 'DISABLE' : 'STRICT');
    if (found === undefined) continue;
    const { policy } = found;
    const message = `A DestinationRule and Policy are in conflict with regards to mTLS for host ${service.hostname}. The DestinationRule "${rule.object.namespace}/${rule.object.name}" specifies that mTLS must be ${wantsMtls} but ${policy} specifies ${found.mode}.`;
    yield { code: 'IST0113', object: rule.object, field, message };
    return;
  }
}

function opposing({ endpoints, workloads }: MeshSnapshot, { key }: MeshService, mode: 'STRICT' | 'DISABLE') {
  for (const { workload = '', ports } of endpoints.get(key) ?? []) {
    const found = workloads.get(workload);
    for (const port of found === undefined ? [] : Object.values(ports)) {
      if ((found?.mtls.ports[port] ?? found?.mtls.mode) !== mode) continue;
      const policy = found?.mtls.policies.at(-1);
      return { mode, policy: policy === undefined ? 'the default' : `the Policy object "${originOf(policy)}"` };
    }
  }
  return undefined;
}
