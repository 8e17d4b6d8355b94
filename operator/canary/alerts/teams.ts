import { type Alert, type AlertFormat, subjectOf } from './alert.ts';

const COLORS = { info: '0076D7', warn: 'FFC000', error: 'FF0000' } as const;
const STYLES = { info: 'accent', warn: 'warning', error: 'attention' } as const;
/** Addresses of connectors, which take message cards only; those of workflows take adaptive cards. */
const CONNECTOR = /(^|[.])(webhook[.]office[.]com|outlook[.]office(365)?[.]com)$/;

/** Microsoft Teams: an adaptive card for workflows, a message card for connectors. */
export const msteams: AlertFormat = (alert, _, url) => ({
  url,
  body: CONNECTOR.test(new URL(url).hostname) ? messageCard(alert) : adaptiveCard(alert),
});

function messageCard(alert: Alert): object {
  const subject = subjectOf(alert);
  return {
    '@type': 'MessageCard',
    '@context': 'http://schema.org/extensions',
    themeColor: COLORS[alert.severity],
    summary: subject,
    sections: [
      {
        activityTitle: alert.message,
        activitySubtitle: subject,
        facts: alert.facts.map(([name, value]) => ({ name, value })),
      },
    ],
  };
}

function adaptiveCard(alert: Alert): object {
  const content = {
    $schema: 'http://adaptivecards.io/schemas/adaptive-card.json',
    type: 'AdaptiveCard',
    version: '1.4',
    body: [
      {
        type: 'Container',
        style: STYLES[alert.severity],
        items: [{ type: 'TextBlock', text: subjectOf(alert), weight: 'Bolder', size: 'Medium', wrap: true }],
      },
      { type: 'TextBlock', text: alert.message, wrap: true },
      { type: 'FactSet', facts: alert.facts.map(([title, value]) => ({ title, value })) },
    ],
  };
  const attachment = { contentType: 'application/vnd.microsoft.card.adaptive', contentUrl: null, content };
  return { type: 'message', attachments: [attachment] };
}
