import type { AlertFormat } from './alert.ts';

/** Any server that takes JSON: what there is to know, each in a field of its own. */
export const webhook: AlertFormat = (alert, { channel, username }, url) => {
  const { name, namespace, severity, reason, message, phase, revision, time, facts } = alert;
  return {
    url,
    body: {
      name,
      namespace,
      severity,
      reason,
      message,
      phase,
      revision,
      time,
      username,
      ...(channel === undefined ? {} : { channel }),
      facts: Object.fromEntries(facts),
    },
  };
};
