import { type AlertFormat, subjectOf } from './alert.ts';

const COLORS = { info: 0x2eb886, warn: 0xdaa038, error: 0xa30200 } as const;
/** Discord refuses longer ones. */
const MAX_DESCRIPTION = 4096;
const MAX_VALUE = 1024;

/** Discord's webhooks: one embed, in which no text mentions anybody. */
export const discord: AlertFormat = (alert, { username }, address) => ({
  // Flagger sends in Slack's words to such an address; here it is Discord's own.
  url: withoutSlack(address),
  body: {
    username,
    embeds: [
      {
        title: subjectOf(alert),
        description: alert.message.slice(0, MAX_DESCRIPTION),
        color: COLORS[alert.severity],
        timestamp: alert.time,
        fields: alert.facts.map(([name, value]) => ({ name, value: value.slice(0, MAX_VALUE), inline: true })),
      },
    ],
    allowed_mentions: { parse: [] },
  },
});

function withoutSlack(address: string): string {
  const url = new URL(address);
  url.pathname = url.pathname.replace(/\/slack\/?$/, '');
  return url.href;
}
