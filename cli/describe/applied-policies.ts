import type { AttachedPolicy } from '../../operator/mesh/authorization.ts';
import type { MtlsMode, Workload } from '../../operator/mesh/snapshot.ts';
import { nameOf } from '../explain/words.ts';

/** What policies say of one workload. */
export interface AppliedPolicies {
  readonly mtls: {
    readonly mode: MtlsMode;
    readonly ports: Readonly<Record<number, MtlsMode>>;
    readonly by: readonly string[];
  };
  readonly authorization: readonly string[];
  readonly tokens: readonly string[];
  readonly rateLimits: readonly string[];
}

/** @param workload a pod with a sidecar */
export function policiesOf({ mtls, authorization, tokens, rateLimits }: Workload): AppliedPolicies {
  const { mode, ports, policies } = mtls;
  return {
    mtls: { mode, ports, by: policies.map(nameOf) },
    authorization: authorization.map(authorizationWords),
    tokens: tokens.map(({ rules, ports: about }) => {
      const issuers = rules.rules.map(({ rule }) => rule.issuer ?? 'any issuer').join(', ');
      return `${nameOf(rules.ref)}: tokens of ${issuers || 'nobody'}${onPorts(about)}`;
    }),
    rateLimits: rateLimits.map(({ rules, ports: about }) => {
      const limits = (rules.spec.limits ?? []).map(
        ({ requests, unit, scope = 'Local' }) => `${requests} per ${unit} (${scope})`,
      );
      return `${nameOf(rules.ref)}: ${limits.join(', ') || 'connections or bandwidth'}${onPorts(about)}`;
    }),
  };
}

function authorizationWords({
  rules: { ref, action, rules, dryRun, provider },
  ports,
  authorizer,
}: AttachedPolicy): string {
  const count = rules.length === 1 ? '1 rule' : `${rules.length} rules`;
  const asks =
    action !== 'CUSTOM'
      ? ''
      : authorizer === undefined
        ? `, denies, as ${provider} can't be asked`
        : `, asks ${provider}`;
  const nothing = action === 'ALLOW' && rules.length === 0 ? ', and so allows nothing' : '';
  return `${nameOf(ref)}: ${action}, ${count}${asks}${nothing}${onPorts(ports)}${dryRun ? ', in dry run' : ''}`;
}

function onPorts(ports: readonly number[] | undefined): string {
  return ports === undefined ? '' : `, on ${ports.length === 1 ? 'port' : 'ports'} ${ports.join(', ')}`;
}
