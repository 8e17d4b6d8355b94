import { z } from 'zod';
import { checkExportTo, type Findings } from './field-check.ts';
import type { FieldProblem, JudgedSpec } from './field-problem.ts';
import { checkHttpRoute, httpRoute } from './http-route.ts';
import type { PolicyStatus } from './peer-authentication.ts';
import { judgeSpec } from './spec-reader.ts';
import { checkGateways, checkHosts, MESH_GATEWAY } from './virtual-service-hosts.ts';
import { checkTcpRoute, checkTlsRoute, tcpRoute, tlsRoute } from './virtual-service-l4.ts';
import { warnOfUnreached } from './virtual-service-reach.ts';

export const VIRTUAL_SERVICE_KIND = 'VirtualService';

/** `networking.istio.io` VirtualService, field for field. It checks types and enums, as Istio's CRD does; the rest is {@link judgeVirtualService}'s. */
export const virtualServiceSpec = z.object({
  hosts: z
    .array(z.string())
    .optional()
    .describe('Hosts whose traffic it routes: Services, DNS names, wildcards. None: a delegate.'),
  gateways: z.array(z.string()).optional().describe('Gateways it is for; mesh, all sidecars, when left out.'),
  exportTo: z.array(z.string()).optional().describe('Namespaces it is for: "." its own, "*" all, as when left out.'),
  http: z.array(httpRoute).optional().describe('Rules for HTTP, the first that matches counts.'),
  tls: z.array(tlsRoute).optional().describe('Rules for TLS that is passed through, the first that matches counts.'),
  tcp: z.array(tcpRoute).optional().describe('Rules for TCP, the first that matches counts.'),
});

export type VirtualServiceSpec = z.infer<typeof virtualServiceSpec>;

export interface VirtualService {
  apiVersion: string;
  kind: string;
  metadata: { name: string; namespace: string; uid?: string; generation?: number; creationTimestamp?: string };
  spec?: VirtualServiceSpec;
  status?: PolicyStatus;
}

/** Istio's VirtualServices are bounded by the size of an object only. This bounds what one may cost the mesh. */
const MAX_RULES = 8192;

/**
 * Says what can't be right with a VirtualService, and what is dubious, as far as it can be told from the object alone.
 * @param json its spec, of any shape
 */
export function judgeVirtualService(json: unknown): JudgedSpec<VirtualServiceSpec> {
  return judgeSpec(virtualServiceSpec, json, checkSpec);
}

function checkSpec(found: Findings, spec: VirtualServiceSpec): void {
  const { hosts = [], gateways = [], http = [], tls = [], tcp = [] } = spec;
  const rules = http.length + tls.length + tcp.length;
  if (rules === 0) found.error('spec', 'must have one of http, tls and tcp');
  if (rules > MAX_RULES) {
    found.error('spec', `must have at most ${MAX_RULES} rules, and has ${rules}; split it`);
    return;
  }
  checkExportTo(found, spec.exportTo);
  checkGateways(found, 'spec.gateways', gateways);
  checkHosts(found, hosts, gateways);
  const inDelegate = hosts.length === 0;
  if (inDelegate) checkAsDelegate(found, spec);
  const atGateway = gateways.some((name) => name !== MESH_GATEWAY);
  for (const [index, rule] of http.entries())
    checkHttpRoute(found, `spec.http[${index}]`, rule, { inDelegate, atGateway });
  const all = new Set(hosts);
  for (const [index, rule] of tls.entries()) checkTlsRoute(found, `spec.tls[${index}]`, rule, all);
  for (const [index, rule] of tcp.entries()) checkTcpRoute(found, `spec.tcp[${index}]`, rule);
  for (const list of ['http', 'tls', 'tcp'] as const) {
    for (const [field, names] of gatewaysOfMatches(list, spec[list])) checkGateways(found, field, names);
    warnOfUnreached(found, `spec.${list}`, spec[list] ?? []);
  }
  found.warnings.push(...unsupportedVirtualServiceFields(spec));
}

/** A VirtualService without hosts lends its HTTP rules to others, and nothing else of it counts. */
function checkAsDelegate(found: Findings, spec: VirtualServiceSpec): void {
  for (const name of ['gateways', 'tls', 'tcp'] as const) {
    if ((spec[name] ?? []).length > 0)
      found.error(`spec.${name}`, 'must be left out without hosts (a delegate); write hosts or leave it out');
  }
}

/**
 * Fields of a VirtualService that Heddle does not put in force: bindings to gateways, of which it has none yet. Warnings and status name them.
 */
export function unsupportedVirtualServiceFields(spec: VirtualServiceSpec): FieldProblem[] {
  const lists: [field: string, gateways: readonly string[]][] = [['spec.gateways', spec.gateways ?? []]];
  for (const list of ['http', 'tls', 'tcp'] as const) lists.push(...gatewaysOfMatches(list, spec[list]));
  return lists.flatMap(([field, gateways]) =>
    gateways.flatMap((gateway, index) =>
      gateway === MESH_GATEWAY
        ? []
        : [
            {
              field: `${field}[${index}]`,
              message: `is not in force: "${gateway}" is a gateway, and Heddle serves sidecars only (${MESH_GATEWAY})`,
            },
          ],
    ),
  );
}

function gatewaysOfMatches(
  list: 'http' | 'tls' | 'tcp',
  rules: readonly {
    readonly match?: readonly { readonly gateways?: readonly string[] | undefined }[] | undefined;
  }[] = [],
): [field: string, gateways: readonly string[]][] {
  return rules.flatMap(({ match = [] }, rule) =>
    match.flatMap(({ gateways = [] }, index): [string, readonly string[]][] =>
      gateways.length === 0 ? [] : [[`spec.${list}[${rule}].match[${index}].gateways`, gateways]],
    ),
  );
}
