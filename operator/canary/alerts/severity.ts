import { ALERT_SEVERITIES, type AlertSeverity, type CanaryAlert } from '../../../api/canary-alert.ts';
import type { CanaryEvent } from '../draft.ts';

/** Events that people are told of; the others are for who looks. */
const SEVERITIES: ReadonlyMap<string, AlertSeverity> = new Map<string, AlertSeverity>([
  ['Initialized', 'info'],
  ['NewRevision', 'info'],
  ['ReleasedUntried', 'info'],
  ['CommandDone', 'info'],
  ['RollbackWindow', 'info'],
  ['Reverted', 'info'],
  ['Succeeded', 'info'],
  ['AwaitingConfirmation', 'warn'],
  ['Paused', 'warn'],
  ['DependencyCycle', 'warn'],
  ['HookFailed', 'warn'],
  ['Ungated', 'warn'],
  ['ReleasedFailed', 'error'],
  ['Unanalysed', 'error'],
  ['InvalidSpec', 'error'],
  ['Failed', 'error'],
]);

/** How grave an event is; undefined: no alert is sent of it. */
export function severityOf({ reason, muted }: CanaryEvent): AlertSeverity | undefined {
  return muted ? undefined : SEVERITIES.get(reason);
}

/** Whether an alert is wanted of what is so grave. */
export function isWanted({ severity }: CanaryAlert, found: AlertSeverity): boolean {
  return ALERT_SEVERITIES.indexOf(found) >= ALERT_SEVERITIES.indexOf(severity);
}
