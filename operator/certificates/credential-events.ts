import { type DestinationRule, judgeDestinationRule } from '../../api/destination-rule.ts';
import type { EventRecorder } from '../../kube/event-recorder.ts';
import { type CredentialName, credentialOf } from './credential-name.ts';
import type { CredentialNews } from './credential-source.ts';

/**
 * Tells of a credential by an Event on each DestinationRule of the clients' namespace that names it. A rule of another namespace may apply there
 * too, but its readers need not be told of names of Secrets elsewhere.
 *
 * @param rules all DestinationRules
 */
export function credentialEvents(
  events: Pick<EventRecorder, 'record'>,
  rules: () => Iterable<DestinationRule>,
): (news: CredentialNews) => void {
  return ({ namespace, credential, problem }) => {
    for (const rule of rules()) {
      if (rule.metadata.namespace !== namespace || !names(rule, credential)) continue;
      events.record(
        rule,
        problem === undefined
          ? { type: 'Normal', reason: 'CredentialServed', message: `${credential} is there and served to proxies` }
          : { type: 'Warning', reason: 'CredentialNotFound', message: problem },
      );
    }
  };
}

function names({ spec: json }: DestinationRule, credential: CredentialName['credential']): boolean {
  const { spec } = judgeDestinationRule(json);
  const policies = [spec?.trafficPolicy, ...(spec?.subsets ?? []).map(({ trafficPolicy }) => trafficPolicy)];
  return policies
    .flatMap((policy) => [policy?.tls, ...(policy?.portLevelSettings ?? []).map(({ tls }) => tls)])
    .some((tls) => tls?.credentialName !== undefined && credentialOf(tls.credentialName) === credential);
}
