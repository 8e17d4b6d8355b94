import type { AuthorizationPolicy } from '../../../api/authorization-policy.ts';
import { judgeAuthorizationPolicy } from '../../../api/authorization-policy-judgement.ts';
import { Draw } from '../../../operator/xds/testing/draw.ts';
import { CALLERS } from './authorization-vocabulary.ts';
import type { WorldPort } from './authorization-world.ts';
import type { Caller } from './mesh-callers.ts';
import { randomPolicy } from './random-authorization.ts';
import { hintsOf, type TrickyRequest, trickyRequest } from './tricky-requests.ts';

export interface PlannedRequest {
  readonly caller: Caller;
  readonly request: TrickyRequest;
}

/** What is done at a port: nothing of it depends on what comes back, or on what is done at others. */
export interface PortPlan {
  readonly port: WorldPort;
  readonly requests: readonly PlannedRequest[];
  /** Connections of bytes that are no HTTP. */
  readonly connections: readonly Caller[];
}

export interface Round {
  readonly policies: readonly AuthorizationPolicy[];
  readonly plans: readonly PortPlan[];
}

/** Of each port that takes HTTP, in each round; and of each that takes other bytes. */
const REQUESTS = 50;
const CONNECTIONS = 8;
/** Who calls a port with requests in a round. */
const CALLERS_OF_PORT = 3;

/** @param ports of the workload, of which each has policies of its own */
export function planRound(seed: number, round: number, ports: readonly WorldPort[]): Round {
  const draw = new Draw(Math.imul(seed, 7919) + round);
  const policies = [...ports.flatMap((port) => policiesOfPort(draw, port, ports)), ...widePolicies(draw, ports)];
  return { policies, plans: ports.map((port) => planPort(draw, port, policies)) };
}

function planPort(draw: Draw, port: WorldPort, policies: readonly AuthorizationPolicy[]): PortPlan {
  const takesHttp = port.kind === 'http' || port.kind === 'auto';
  const hints = hintsOf(policies.filter(({ spec }) => spec?.targetRefs?.some(({ name }) => name === port.service)));
  const callers = draw.list(CALLERS_OF_PORT, CALLERS_OF_PORT, () => draw.one(CALLERS));
  const requests = draw.list(REQUESTS, REQUESTS, () => ({
    caller: draw.one(callers),
    request: trickyRequest(draw, hints),
  }));
  const connections = draw.list(CONNECTIONS, CONNECTIONS, () => draw.one(CALLERS));
  return { port, requests: takesHttp ? requests : [], connections: port.kind === 'http' ? [] : connections };
}

function policiesOfPort(draw: Draw, { kind, service, port }: WorldPort, all: readonly WorldPort[]) {
  if (kind === 'other') return [];
  const about = { targetRefs: [{ kind: 'Service', name: service }] };
  const named = [port, port, draw.one(all).port];
  return draw.list(0, 3, () => named).map((ports, index) => validPolicy(draw, `${service}-${index}`, about, ports));
}

/** About all of the workload, or others. Such as would hide the policies of all ports are AUDIT, or made about few requests. */
function widePolicies(draw: Draw, all: readonly WorldPort[]): AuthorizationPolicy[] {
  const ports = all.map(({ port }) => port);
  const abouts = [
    {},
    { selector: { matchLabels: { app: 'inventory' } } },
    { selector: { matchLabels: { app: 'ui' } } },
  ];
  return draw
    .list(0, 2, () => draw.one(abouts))
    .map((about, index) => {
      const namespace = draw.one(['shop', 'heddle-system', 'elsewhere']);
      const { spec = {}, ...rest } = validPolicy(draw, `wide-${index}`, about, ports, namespace);
      const { action, rules = [], selector } = spec;
      const to = selector === undefined ? {} : { selector };
      if (action !== 'DENY') return { ...rest, spec: { ...to, action: 'AUDIT' as const, rules } };
      const few = { key: 'request.headers[x-team]', values: ['ann*'] };
      // On bytes that are no HTTP it would match all.
      const ofPort = [{ operation: { ports: [String(draw.one(ports))] } }];
      const narrowed = rules.map(({ to: operations = ofPort, when = [], ...rule }) => ({
        ...rule,
        to: operations,
        when: [...when, few],
      }));
      return { ...rest, spec: { ...to, action, rules: narrowed } };
    });
}

/** Most are valid as they are drawn. */
function validPolicy(draw: Draw, ...how: Parameters<typeof randomPolicy> extends [Draw, ...infer Rest] ? Rest : never) {
  for (;;) {
    const policy = randomPolicy(draw, ...how);
    if (judgeAuthorizationPolicy(policy.spec).spec !== undefined) return policy;
  }
}
