import { describe, expect, test } from '@jest/globals';
import { alertProviderSpec } from '../../../api/alert-provider.ts';
import type { Alert } from './alert.ts';
import { ALERT_FORMATS } from './formats.ts';

const alert: Alert = {
  name: 'ordering',
  namespace: 'shop',
  severity: 'error',
  reason: 'Failed',
  message: 'revision r2 was given up: <@everyone> & p99 > 500 ms',
  phase: 'Failed',
  revision: 'r2',
  time: '2026-01-01T00:00:00.000Z',
  facts: [['Target', 'Deployment/ordering']],
};
const ESCAPED = 'revision r2 was given up: &lt;@everyone&gt; &amp; p99 &gt; 500 ms';

function letter(type: string, address = 'https://hooks.example/T0/secret', more: object = {}) {
  const spec = alertProviderSpec.parse({ type, address, ...more });
  return ALERT_FORMATS[spec.type](alert, spec, address);
}

describe('the format of', () => {
  test('Slack is a message with an attachment', () => {
    expect(letter('slack', undefined, { channel: 'ops' })).toEqual({
      url: 'https://hooks.example/T0/secret',
      body: {
        channel: 'ops',
        username: 'heddle',
        icon_emoji: ':rocket:',
        attachments: [
          {
            color: 'danger',
            author_name: 'ordering.shop',
            text: ESCAPED,
            fallback: `ordering.shop: ${ESCAPED}`,
            mrkdwn_in: ['text'],
            fields: [{ title: 'Target', value: 'Deployment/ordering', short: true }],
          },
        ],
      },
    });
  });

  test('Rocket.Chat is a message with an attachment', () => {
    expect(letter('rocket', undefined, { channel: '#ops', username: 'mesh' }).body).toEqual({
      channel: '#ops',
      alias: 'mesh',
      emoji: ':rocket:',
      attachments: [
        {
          color: '#a30200',
          title: 'ordering.shop',
          text: alert.message,
          fields: [{ title: 'Target', value: 'Deployment/ordering', short: true }],
        },
      ],
    });
  });

  test.each(['https://discord.example/api/webhooks/1/secret', 'https://discord.example/api/webhooks/1/secret/slack'])(
    'Discord is an embed that mentions nobody, at %s',
    (address) => {
      expect(letter('discord', address)).toEqual({
        url: 'https://discord.example/api/webhooks/1/secret',
        body: {
          username: 'heddle',
          embeds: [
            {
              title: 'ordering.shop',
              description: alert.message,
              color: 0xa30200,
              timestamp: '2026-01-01T00:00:00.000Z',
              fields: [{ name: 'Target', value: 'Deployment/ordering', inline: true }],
            },
          ],
          allowed_mentions: { parse: [] },
        },
      });
    },
  );

  test('Teams is an adaptive card for a workflow', () => {
    expect(letter('msteams', 'https://prod-1.logic.azure.com/workflows/secret').body).toEqual({
      type: 'message',
      attachments: [
        {
          contentType: 'application/vnd.microsoft.card.adaptive',
          contentUrl: null,
          content: {
            $schema: 'http://adaptivecards.io/schemas/adaptive-card.json',
            type: 'AdaptiveCard',
            version: '1.4',
            body: [
              {
                type: 'Container',
                style: 'attention',
                items: [{ type: 'TextBlock', text: 'ordering.shop', weight: 'Bolder', size: 'Medium', wrap: true }],
              },
              { type: 'TextBlock', text: alert.message, wrap: true },
              { type: 'FactSet', facts: [{ title: 'Target', value: 'Deployment/ordering' }] },
            ],
          },
        },
      ],
    });
  });

  test.each(['https://acme.webhook.office.com/webhookb2/secret', 'https://outlook.office.com/webhook/secret'])(
    'Teams is a message card for the connector %s',
    (address) => {
      expect(letter('msteams', address).body).toEqual({
        '@type': 'MessageCard',
        '@context': 'http://schema.org/extensions',
        themeColor: 'FF0000',
        summary: 'ordering.shop',
        sections: [
          {
            activityTitle: alert.message,
            activitySubtitle: 'ordering.shop',
            facts: [{ name: 'Target', value: 'Deployment/ordering' }],
          },
        ],
      });
    },
  );

  test('Google Chat is a card of the second version', () => {
    expect(letter('gchat').body).toEqual({
      cardsV2: [
        {
          cardId: 'ordering.shop',
          card: {
            header: { title: 'heddle: Error', subtitle: 'ordering.shop' },
            sections: [
              {
                widgets: [
                  { textParagraph: { text: `<b>${ESCAPED}</b>` } },
                  { decoratedText: { topLabel: 'Target', text: 'Deployment/ordering' } },
                ],
              },
            ],
          },
        },
      ],
    });
  });

  test('a webhook has each thing in a field of its own', () => {
    expect(letter('webhook', undefined, { channel: 'ops' }).body).toEqual({
      name: 'ordering',
      namespace: 'shop',
      severity: 'error',
      reason: 'Failed',
      message: alert.message,
      phase: 'Failed',
      revision: 'r2',
      time: '2026-01-01T00:00:00.000Z',
      username: 'heddle',
      channel: 'ops',
      facts: { Target: 'Deployment/ordering' },
    });
  });
});
