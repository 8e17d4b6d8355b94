import { describe, expect, test } from '@jest/globals';
import { Set as PersistentSet } from 'immutable';
import type { Condition } from '../../api/condition.ts';
import type { PolicyView, Problem } from '../mesh/snapshot.ts';
import { buildConditions } from './conditions.ts';
import { type Enforcement, NO_ENFORCEMENT } from './enforcement.ts';

const object = { kind: 'PeerAuthentication', namespace: 'shop', name: 'p' };
const view = (pods: number, more: Partial<PolicyView> = {}): PolicyView => ({
  object,
  generation: 7,
  reach: { kind: 'workloads', workloads: PersistentSet(Array.from({ length: pods }, (_, i) => `uid-${i}`)) },
  selected: pods,
  problems: [],
  notes: [],
  ...more,
});
/** A VirtualService that all clients see. */
const ofCallers = (more: Partial<PolicyView> = {}): PolicyView =>
  view(0, { reach: { kind: 'clients', visibility: '*', labels: {} }, ...more });
const none = NO_ENFORCEMENT;
const problem = (condition: Problem['condition'], reason: string, message: string): Problem => ({
  object,
  condition,
  reason,
  message,
});

function conditionsOf(policy: PolicyView, enforcement: Enforcement, present?: Condition) {
  const list = buildConditions(policy, enforcement, present);
  return Object.fromEntries(list.map(({ type, status, reason, message }) => [type, [status, reason, message]]));
}

describe('conditions of a policy', () => {
  test('are all True when all proxies have it, each for the generation that was judged', () => {
    const enforcement = { ...none, total: 3, inForce: 3 };
    expect(conditionsOf(view(3), enforcement)).toEqual({
      Accepted: ['True', 'Valid', 'It is valid.'],
      Conflicted: ['False', 'NoConflict', 'No other policy is in its way.'],
      Programmed: ['True', 'InForce', 'in force on 3 of 3 proxies'],
    });
    expect(buildConditions(view(3), enforcement, undefined).map((one) => one.observedGeneration)).toEqual([7, 7, 7]);
  });

  test('say that a policy selects nothing, which is valid but in force nowhere', () => {
    expect(conditionsOf(view(0), none)).toMatchObject({
      Accepted: ['True', 'SelectsNothing', expect.stringContaining('selects no injected pod')],
      Programmed: ['Unknown', 'NoProxies', expect.any(String)],
    });
  });

  test('name every problem of an invalid policy', () => {
    const problems = [problem('Accepted', 'Invalid', 'spec.a: wrong.'), problem('Accepted', 'Other', 'spec.b: wrong.')];
    expect(conditionsOf(view(0, { problems }), none)).toMatchObject({
      Accepted: ['False', 'Invalid', 'spec.a: wrong. spec.b: wrong.'],
      Programmed: ['False', 'NotAccepted', expect.any(String)],
    });
  });

  test('say who wins a conflict', () => {
    const problems = [problem('Conflicted', 'OlderPolicy', 'shop/z is older.')];
    expect(conditionsOf(view(0, { problems }), none)).toMatchObject({
      Accepted: ['True', 'Valid', expect.any(String)],
      Conflicted: ['True', 'OlderPolicy', 'shop/z is older.'],
      Programmed: ['False', 'Conflicted', expect.any(String)],
    });
  });

  test.each<[string, Enforcement, string[]]>([
    ['one proxy', { ...none, total: 1, inForce: 1 }, ['True', 'InForce', 'in force on 1 of 1 proxy']],
    [
      'a proxy that has not answered',
      { ...none, total: 3, inForce: 2, waiting: ['shop/a'] },
      ['False', 'Pending', 'in force on 2 of 3 proxies; waiting for shop/a'],
    ],
    [
      'many proxies that have not answered',
      { ...none, total: 5, waiting: ['e', 'd', 'c', 'b', 'a'] },
      ['False', 'Pending', 'in force on 0 of 5 proxies; waiting for a, b, c and 2 more'],
    ],
    [
      'a proxy that refused, whatever the others do',
      { ...none, total: 3, inForce: 1, waiting: ['shop/b'], refused: [{ pod: 'shop/a', message: 'bad listener' }] },
      ['False', 'Refused', 'in force on 1 of 3 proxies; refused by shop/a: bad listener'],
    ],
    [
      'a proxy that is missing',
      { ...none, total: 2, inForce: 1, missing: ['shop/a'] },
      ['Unknown', 'NoReport', 'in force on 1 of 2 proxies; no report from shop/a'],
    ],
    [
      'a proxy that reconnects and of which nothing was known',
      { ...none, total: 2, inForce: 1, reconnecting: ['shop/a'] },
      ['Unknown', 'NoReport', 'in force on 1 of 2 proxies; waiting for a report from shop/a'],
    ],
  ])('Programmed speaks of %s', (_, enforcement, programmed) => {
    expect(conditionsOf(view(3), enforcement).Programmed).toEqual(programmed);
  });

  const present = (observedGeneration: number): Condition => ({
    type: 'Programmed',
    status: 'True',
    reason: 'InForce',
    message: 'in force on 2 of 2 proxies',
    observedGeneration,
    lastTransitionTime: '2026-01-01T00:00:00Z',
  });
  const reconnecting = { ...none, total: 2, inForce: 1, reconnecting: ['shop/a'] };

  test('Programmed stands while a proxy reconnects', () => {
    expect(conditionsOf(view(2), reconnecting, present(7)).Programmed).toEqual([
      'True',
      'InForce',
      'in force on 2 of 2 proxies',
    ]);
  });

  test('Programmed does not stand for another generation than it was said of', () => {
    expect(conditionsOf(view(2), reconnecting, present(6)).Programmed?.[0]).toBe('Unknown');
  });

  test('Programmed is Unknown while all sidecars start', () => {
    expect(conditionsOf(view(2), { ...none, starting: 2 }).Programmed).toMatchObject([
      'Unknown',
      'NoProxies',
      expect.stringContaining('all 2 pods'),
    ]);
  });

  test('Programmed is False when narrower policies decide everywhere', () => {
    expect(conditionsOf(view(0, { selected: 4 }), none).Programmed?.slice(0, 2)).toEqual(['False', 'Overridden']);
  });

  test('messages are bounded', () => {
    const refused = [{ pod: 'shop/a', message: 'x'.repeat(5000) }];
    expect(conditionsOf(view(1), { ...none, total: 1, refused }).Programmed?.[2]).toHaveLength(1024);
  });

  test('of a policy of callers are about the proxies that use it, not about pods that it selects', () => {
    expect(conditionsOf(ofCallers(), { ...none, total: 2, inForce: 2 })).toEqual({
      Accepted: ['True', 'Valid', 'It is valid.'],
      Conflicted: ['False', 'NoConflict', 'No other policy is in its way.'],
      Programmed: ['True', 'InForce', 'in force on 2 of 2 proxies'],
    });
    expect(conditionsOf(ofCallers(), none)).toMatchObject({
      Accepted: ['True', 'Valid', 'It is valid.'],
      Programmed: ['Unknown', 'NoProxies', 'No proxy uses it.'],
    });
  });

  test('name what is not in force of a valid policy', () => {
    const notes = ['spec.gateways: "edge" is not in force yet.', 'spec.http[0].foo is not in force yet.'];
    expect(conditionsOf(ofCallers({ notes }), { ...none, total: 1, inForce: 1 })).toMatchObject({
      Accepted: ['True', 'ValidWithNotes', `It is valid. ${notes.join(' ')}`],
      Programmed: ['True', 'InForce', 'in force on 1 of 1 proxy'],
    });
    const long = Array.from({ length: 200 }, (_, index) => `spec.http[${index}] is not in force yet.`);
    expect(conditionsOf(ofCallers({ notes: long }), none).Accepted?.[2]).toHaveLength(1024);
  });

  test.each<[string, Enforcement, Partial<PolicyView>, string[]]>([
    [
      'is in force nowhere while it is invalid',
      none,
      { problems: [problem('Accepted', 'Invalid', 'spec.http: wrong.')] },
      ['False', 'NotAccepted', 'in force on no proxy; see Accepted'],
    ],
    [
      'is in force but for a route to nowhere',
      { ...none, total: 2, inForce: 2 },
      { problems: [problem('Accepted', 'DestinationNotFound', 'spec.http[0].route[0]: no such host.')] },
      ['True', 'InForce', 'in force on 2 of 2 proxies'],
    ],
    [
      'has a route to nowhere, and nobody uses it',
      none,
      { problems: [problem('Accepted', 'DestinationNotFound', 'spec.http[0].route[0]: no such host.')] },
      ['Unknown', 'NoProxies', 'No proxy uses it.'],
    ],
    [
      'is in force in part beside an older one',
      { ...none, total: 2, inForce: 2 },
      { problems: [problem('Conflicted', 'OlderVirtualService', 'shop/z is older.')] },
      ['True', 'InForce', 'in force on 2 of 2 proxies'],
    ],
    [
      'is in force nowhere beside an older one',
      none,
      { problems: [problem('Conflicted', 'OlderServiceEntry', 'shop/z is older.')] },
      ['False', 'Conflicted', 'in force on no proxy; see Conflicted'],
    ],
    [
      'is used by proxies that are starting',
      { ...none, starting: 3 },
      {},
      ['Unknown', 'NoProxies', 'The sidecars of all 3 pods it applies to are still starting.'],
    ],
    [
      'is a VirtualService that reaches nobody, for it is invalid',
      none,
      { reach: view(0).reach, problems: [problem('Accepted', 'Invalid', 'spec.http: wrong.')] },
      ['False', 'NotAccepted', 'in force on no proxy; see Accepted'],
    ],
  ])('Programmed of a policy of callers: it %s', (_, enforcement, more, programmed) => {
    expect(conditionsOf(ofCallers(more), enforcement).Programmed).toEqual(programmed);
  });
});
