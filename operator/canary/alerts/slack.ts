import { type AlertFormat, subjectOf } from './alert.ts';

const COLORS = { info: 'good', warn: 'warning', error: 'danger' } as const;

/** Slack's incoming webhooks: a message with one attachment. */
export const slack: AlertFormat = (alert, { channel, username }, url) => ({
  url,
  body: {
    ...(channel === undefined ? {} : { channel }),
    username,
    icon_emoji: ':rocket:',
    attachments: [
      {
        color: COLORS[alert.severity],
        author_name: subjectOf(alert),
        text: escaped(alert.message),
        fallback: escaped(`${subjectOf(alert)}: ${alert.message}`),
        mrkdwn_in: ['text'],
        fields: alert.facts.map(([title, value]) => ({ title, value: escaped(value), short: true })),
      },
    ],
  },
});

/** What Slack reads as links, mentions and channels is to be read as text. */
function escaped(text: string): string {
  return text.replace(/&/g, '&amp;').replace(/</g, '&lt;').replace(/>/g, '&gt;');
}
