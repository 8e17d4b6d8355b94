import type { AlertProviderSpec } from '../../../api/alert-provider.ts';
import type { AlertSeverity } from '../../../api/canary-alert.ts';

/** What people are told of a release. */
export interface Alert {
  /** Of the Canary. */
  readonly name: string;
  readonly namespace: string;
  readonly severity: AlertSeverity;
  /** Reason of the event that it is about. */
  readonly reason: string;
  readonly message: string;
  readonly phase: string;
  /** Revision under analysis, or the stable one. */
  readonly revision: string;
  /** RFC 3339. */
  readonly time: string;
  /** What else there is to know, by title. */
  readonly facts: readonly (readonly [title: string, value: string])[];
}

/** An alert in the words of a provider. */
export interface Letter {
  readonly url: string;
  readonly body: object;
}

/** Puts an alert in a provider's format. @param address where it is to be sent */
export type AlertFormat = (alert: Alert, provider: AlertProviderSpec, address: string) => Letter;

/** `name.namespace`, as Flagger's alerts have it. */
export function subjectOf({ name, namespace }: Alert): string {
  return `${name}.${namespace}`;
}
