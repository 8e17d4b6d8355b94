import { expect, test } from '@jest/globals';
import type { InboundShape } from './inbound-shape.ts';
import { RefusalLogs } from './refusal-logs.ts';

const policy = (name: string, action: 'ALLOW' | 'DENY', ports?: number[]) => ({
  rules: {
    ref: { kind: 'AuthorizationPolicy', namespace: 'shop', name },
    action,
    dryRun: false,
    rules: [],
    digest: '',
  },
  ...(ports && { ports }),
});

test('chains that refuse for the same causes share their logs, others have their own', () => {
  const shape = { authorization: [policy('all', 'ALLOW'), policy('one', 'DENY', [82])], tokens: [], rateLimits: [] };
  const logs = new RefusalLogs({ ...shape, boundsRefusalLog: true } as unknown as InboundShape);
  const http = logs.at(80, 'http');
  expect(http).toHaveLength(2);
  expect(logs.at(81, 'http')).toBe(http);
  expect(logs.at(82, 'http')).toHaveLength(4);
  expect(logs.at(80, 'tcp')).not.toEqual(http);
  expect(logs.at(80, 'tcp', 'nowhere')).not.toEqual(logs.at(80, 'tcp'));
  expect(logs.at(undefined, 'tcp', 'nowhere')).toBe(logs.at(80, 'tcp', 'nowhere'));
});
