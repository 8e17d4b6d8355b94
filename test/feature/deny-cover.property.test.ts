import { expect, test } from '@jest/globals';
import type { AuthorizationPolicy, AuthorizationRule } from '../../api/authorization-policy.ts';
import { judgeAuthorizationPolicy } from '../../api/authorization-policy-judgement.ts';
import type { AuthorizationRules } from '../../operator/mesh/authorization.ts';
import { deniesAll } from '../../operator/mesh/deny-cover.ts';
import { Draw } from '../../operator/xds/testing/draw.ts';
import { type CallFacts, decideByReference, type ReferenceWorkload } from './support/authorization-reference.ts';
import { CALLERS, NAMESPACES } from './support/authorization-vocabulary.ts';
import { randomPolicy } from './support/random-authorization.ts';
import { callFacts, sentFacts } from './support/request-facts.ts';
import { hintsOf, trickyRequest } from './support/tricky-requests.ts';

/** What is said of an ALLOW that a DENY shadows, held against the reference of Istio's documentation. */

const PAIRS = 2000;
const CALLS = 20;
const PORTS = [80, 8080];
const WORKLOAD: ReferenceWorkload = {
  namespace: 'shop',
  labels: {},
  services: new Map(),
  rootNamespace: 'heddle-system',
};

const rulesOf = ({ metadata, spec }: AuthorizationPolicy): AuthorizationRules => ({
  ref: { kind: 'AuthorizationPolicy', namespace: metadata.namespace, name: metadata.name },
  action: spec?.action === 'DENY' ? 'DENY' : 'ALLOW',
  dryRun: false,
  rules: spec?.rules ?? [],
  digest: '',
});

/** A rule that is about what another is, and mostly about more: fields less, values more, patterns for values. */
function wider(draw: Draw, rule: AuthorizationRule): AuthorizationRule {
  const copy = structuredClone(rule);
  for (const part of ['from', 'to', 'when'] as const) if (draw.once(3)) delete copy[part];
  const fields = [
    ...(copy.from ?? []).map(({ source }) => source),
    ...(copy.to ?? []).map(({ operation }) => operation),
    ...(copy.when ?? []),
  ] as (Record<string, string[] | string> | undefined)[];
  for (const of of fields) {
    for (const [name, values] of Object.entries(of ?? {})) {
      if (typeof values === 'string') continue;
      const how = draw.below(8);
      if (how === 0 && Object.keys(of ?? {}).length > 1) delete of?.[name];
      if (how === 1) values.push(draw.one(values), draw.one(NAMESPACES));
      if (how === 2) values[0] = `${values[0]?.slice(0, 1 + draw.below(9))}*`;
      if (how === 3) values[0] = '*';
    }
  }
  return copy;
}

function pair(draw: Draw): { allow: AuthorizationPolicy; deny: AuthorizationPolicy } {
  const plain = (name: string, namespace: string) => randomPolicy(draw, name, {}, PORTS, namespace);
  const allow = plain('allow', 'shop');
  const deny = plain('deny', draw.one(['shop', 'shop', 'heddle-system']));
  allow.metadata.annotations = {};
  deny.metadata.annotations = {};
  const rules = allow.spec?.rules ?? [];
  allow.spec = { action: 'ALLOW', rules };
  deny.spec = {
    action: 'DENY',
    rules: [...rules.map((rule) => wider(draw, rule)), ...(deny.spec?.rules ?? []).slice(0, draw.below(2))],
  };
  return { allow, deny };
}

function randomCall(draw: Draw, policies: AuthorizationPolicy[]): CallFacts {
  const [caller, port] = [draw.one(CALLERS), draw.one(PORTS)];
  if (draw.once(5)) return callFacts(caller, port);
  return callFacts(caller, port, sentFacts(trickyRequest(draw, hintsOf(policies))));
}

test('of an ALLOW of which it is said that a DENY denies all, nothing gets past that DENY', () => {
  const draw = new Draw(41);
  let shadowed = 0;
  let wouldPass = 0;
  for (let n = 0; n < PAIRS; n++) {
    const { allow, deny } = pair(draw);
    if (judgeAuthorizationPolicy(deny.spec).errors.length > 0) continue;
    if (!deniesAll(rulesOf(deny), rulesOf(allow))) continue;
    shadowed++;
    for (let calls = 0; calls < CALLS; calls++) {
      const call = randomCall(draw, [allow]);
      if (decideByReference([allow], WORKLOAD, call).allowed) wouldPass++;
      const decision = decideByReference([allow, deny], WORKLOAD, call);
      expect({ decision: decision.allowed, allow, deny, call }).toMatchObject({ decision: false });
    }
  }
  // Else it would have been about nothing.
  expect(shadowed).toBeGreaterThan(PAIRS / 20);
  expect(wouldPass).toBeGreaterThan(shadowed);
}, 120_000);
