import { authorizerOf } from '../../api/extension-provider.ts';
import type { RBAC } from '../../generated/envoy/envoy/config/rbac/v3/rbac_pb.js';
import type { AttachedPolicy } from '../mesh/authorization.ts';
import type { Authorizer } from '../mesh/authorizer.ts';
import { isAbout } from './inbound-shape.ts';
import { authorizerCluster } from './names.ts';
import { actionOf, buildRbac, type Carrier } from './rbac.ts';

/** A provider, and what it is asked about. */
export interface Question {
  readonly authorizer: Authorizer;
  /** Of all policies that ask it. */
  readonly rules: RBAC;
}

/**
 * Whom policies with action CUSTOM ask about a port, in order of their names. Each is asked about what the policies that name it match, and all must
 * allow. Istio asks one alone unless told so, and denies where policies name several.
 * @param port undefined: a port that nobody declared
 */
export function buildQuestions(
  attached: readonly AttachedPolicy[],
  port: number | undefined,
  carrier: Carrier,
): Question[] {
  const byName = new Map<string, { authorizer: Authorizer; policies: AttachedPolicy[] }>();
  for (const one of attached) {
    const { authorizer, rules } = one;
    if (authorizer === undefined || rules.dryRun || !isAbout(one, port)) continue;
    if (actionOf(one, port, carrier) !== 'CUSTOM') continue;
    const { name } = authorizer.provider;
    const group = byName.get(name) ?? { authorizer, policies: [] };
    byName.set(name, group);
    group.policies.push(one);
  }
  const groups = [...byName].sort(([a], [b]) => (a < b ? -1 : 1)).map(([, group]) => group);
  return groups.map(({ authorizer, policies }) => ({
    authorizer,
    rules: buildRbac(
      'CUSTOM',
      policies.map(({ rules }) => rules),
      carrier,
    ),
  }));
}

/** Name of the cluster of whom is asked. */
export function clusterOf({ provider, service }: Authorizer): string {
  const { protocol, settings } = authorizerOf(provider);
  return authorizerCluster(settings.port, protocol, service);
}
