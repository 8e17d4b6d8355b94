import { type AlertFormat, subjectOf } from './alert.ts';

const MARKS = { info: 'Info', warn: 'Warning', error: 'Error' } as const;

/** Google Chat's incoming webhooks: one card of the second version. */
export const gchat: AlertFormat = (alert, { username }, url) => ({
  url,
  body: {
    cardsV2: [
      {
        cardId: subjectOf(alert),
        card: {
          header: { title: `${username}: ${MARKS[alert.severity]}`, subtitle: subjectOf(alert) },
          sections: [
            {
              widgets: [
                { textParagraph: { text: `<b>${escaped(alert.message)}</b>` } },
                ...alert.facts.map(([topLabel, value]) => ({ decoratedText: { topLabel, text: escaped(value) } })),
              ],
            },
          ],
        },
      },
    ],
  },
});

/** Such texts are HTML. */
function escaped(text: string): string {
  return text.replace(/&/g, '&amp;').replace(/</g, '&lt;').replace(/>/g, '&gt;');
}
