import { checkPort, type Findings, isDnsName } from './field-check.ts';
import type { FieldProblem, JudgedSpec } from './field-problem.ts';
import { type SidecarSpec, sidecarSpec } from './sidecar.ts';
import { checkSidecarEgress } from './sidecar-egress.ts';
import { checkSidecarIngress } from './sidecar-ingress.ts';
import { judgeSpec } from './spec-reader.ts';
import { checkConnectionPool } from './traffic-policy-connection-pool.ts';
import { checkWorkloadSelector } from './workload-selector.ts';

/**
 * Judges a Sidecar's spec: its schema, then what Istio refuses, then what is legal and hardly meant. Whether another Sidecar holds for the
 * same pods can't be known from one alone.
 * @param json the spec, of any shape
 */
export function judgeSidecar(json: unknown): JudgedSpec<SidecarSpec> {
  return judgeSpec(sidecarSpec, json, checkSpec);
}

function checkSpec(found: Findings, spec: SidecarSpec): void {
  const { workloadSelector, ingress = [], egress = [], outboundTrafficPolicy, inboundConnectionPool } = spec;
  if (workloadSelector !== undefined) {
    checkWorkloadSelector(found, 'spec.workloadSelector', workloadSelector);
    if (Object.keys(workloadSelector.labels ?? {}).length === 0) {
      found.warn('spec.workloadSelector', 'has no labels: it holds for the whole namespace, as without a selector');
    }
  }
  if (ingress.length === 0 && egress.length === 0 && !outboundTrafficPolicy && !inboundConnectionPool) {
    found.error('spec', 'must have one of egress, ingress, outboundTrafficPolicy and inboundConnectionPool');
  }
  checkSidecarIngress(found, ingress);
  checkSidecarEgress(found, egress);
  checkOutboundPolicy(found, spec);
  if (inboundConnectionPool) checkConnectionPool(found, 'spec.inboundConnectionPool', inboundConnectionPool);
  found.warnings.push(...unsupportedSidecarFields(spec));
}

function checkOutboundPolicy(found: Findings, { outboundTrafficPolicy = {} }: SidecarSpec): void {
  const { mode = 'REGISTRY_ONLY', egressProxy } = outboundTrafficPolicy;
  if (egressProxy === undefined) return;
  const field = 'spec.outboundTrafficPolicy.egressProxy';
  if (mode !== 'ALLOW_ANY') found.error(field, 'must not be set with mode REGISTRY_ONLY; write ALLOW_ANY');
  if (!isDnsName(egressProxy.host)) {
    found.error(`${field}.host`, `must be the full DNS name of a service, and is "${egressProxy.host}"`);
  }
  if (egressProxy.port?.number === undefined)
    found.error(`${field}.port.number`, 'must be set; write the port of the proxy');
  checkPort(found, `${field}.port.number`, egressProxy.port?.number);
}

/** Ports of the sidecar itself (`proxy/ports.ts`), on which it can't listen for anything else. */
function isProxyPort(port: number): boolean {
  return [15000, 15001, 15006, 15020, 15021, 15053, 15090].includes(port) || (port >= 15031 && port <= 15040);
}

/** What of a Sidecar Heddle's sidecars do not put in force. */
export function unsupportedSidecarFields({
  ingress = [],
  egress = [],
  outboundTrafficPolicy,
}: SidecarSpec): FieldProblem[] {
  const problems: FieldProblem[] = [];
  const notInForce = (field: string, why: string): void => {
    problems.push({ field, message: `is not in force: ${why}` });
  };
  for (const [index, { tls, defaultEndpoint = '' }] of ingress.entries()) {
    const field = `spec.ingress[${index}]`;
    if (tls !== undefined) notInForce(`${field}.tls`, 'sidecars do not end TLS of callers outside of the mesh');
    if (defaultEndpoint.startsWith('unix://')) {
      notInForce(`${field}.defaultEndpoint`, 'sidecars do not call Unix domain sockets; write 127.0.0.1:PORT');
    }
  }
  for (const [index, { bind = '', captureMode, port }] of egress.entries()) {
    if ((bind !== '' || captureMode === 'NONE') && isProxyPort(port?.number ?? 0)) {
      const why = 'the sidecar itself listens on this port; choose another';
      notInForce(`spec.egress[${index}].port.number`, why);
    }
    if (bind.startsWith('unix://')) {
      notInForce(`spec.egress[${index}].bind`, 'sidecars do not listen on Unix domain sockets; write an IP address');
    }
  }
  if (outboundTrafficPolicy?.egressProxy !== undefined) {
    notInForce(
      'spec.outboundTrafficPolicy.egressProxy',
      'connections to unknown hosts are let through to where they go',
    );
  }
  return problems;
}
