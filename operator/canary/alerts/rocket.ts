import { type AlertFormat, subjectOf } from './alert.ts';

const COLORS = { info: '#2eb886', warn: '#daa038', error: '#a30200' } as const;

/** Rocket.Chat's incoming webhooks: a message with one attachment. */
export const rocket: AlertFormat = (alert, { channel, username }, url) => ({
  url,
  body: {
    ...(channel === undefined ? {} : { channel }),
    alias: username,
    emoji: ':rocket:',
    attachments: [
      {
        color: COLORS[alert.severity],
        title: subjectOf(alert),
        text: alert.message,
        fields: alert.facts.map(([title, value]) => ({ title, value, short: true })),
      },
    ],
  },
});
