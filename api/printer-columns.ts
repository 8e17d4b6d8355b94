/** A column of `kubectl get`. */
export interface PrinterColumn {
  readonly name: string;
  readonly type: 'string' | 'integer' | 'date';
  readonly jsonPath: string;
  readonly description: string;
  /** True: only with `-o wide`. */
  readonly wide?: boolean;
}

/** When it was made, as all kinds have it. */
export const AGE: PrinterColumn = {
  name: 'Age',
  type: 'date',
  jsonPath: '.metadata.creationTimestamp',
  description: 'Time since it was created.',
};

/** Status of a condition: True, False or Unknown. */
const conditionStatus = (type: string, description: string): PrinterColumn => ({
  name: type,
  type: 'string',
  jsonPath: `.status.conditions[?(@.type=="${type}")].status`,
  description,
});

/** What kinds that go to proxies tell of their state. */
export const STATE: readonly PrinterColumn[] = [
  conditionStatus('Accepted', 'Whether it is valid.'),
  conditionStatus('Programmed', 'Whether all proxies it is about have it in force.'),
  {
    name: 'Message',
    type: 'string',
    jsonPath: '.status.conditions[?(@.type=="Programmed")].message',
    description: 'On how many proxies it is in force.',
  },
];
