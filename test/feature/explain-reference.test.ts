import { expect, test } from '@jest/globals';
import { decideAuthorization } from '../../cli/explain/authorization.ts';
import type { CallFacts } from '../../cli/explain/call-facts.ts';
import { readIdentity } from '../../cli/explain/caller-identity.ts';
import { buildSnapshot } from '../../operator/mesh/mesh-builder.ts';
import type { MeshObject } from '../../operator/mesh/mesh-object.ts';
import { pod, SETTINGS, service } from '../../operator/mesh/testing/objects.ts';
import { decideByReference, type CallFacts as ReferenceFacts } from './support/authorization-reference.ts';
import { planRound } from './support/authorization-round.ts';
import type { WorldPort } from './support/authorization-world.ts';
import { malformation } from './support/malformed-request.ts';
import { callFacts, sentFacts } from './support/request-facts.ts';

/** By hand: `REFERENCE_ROUNDS=1000 REFERENCE_SEED=7`. Nothing but the two is asked, so that a round of some thousand pairs takes a moment. */
const { REFERENCE_ROUNDS = '4', REFERENCE_SEED = String(Date.now() % 1_000_000_007) } = process.env;
const LABELS = { app: 'inventory', version: 'v1' };
const NAMES = { http: 'http', auto: 'any', tcp: 'tcp' } as const;
const PORTS: readonly WorldPort[] = (['http', 'auto', 'tcp'] as const).flatMap((kind, first) =>
  Array.from({ length: 6 }, (_, index) => ({
    kind,
    service: `${NAMES[kind]}-${index}`,
    port: 9000 + 10 * first + index,
  })),
);
const REFERENCE = {
  namespace: 'shop',
  labels: LABELS,
  services: new Map(PORTS.map((one) => [one.service, [one.port]] as const)),
  rootNamespace: SETTINGS.rootNamespace,
};

const MESH: readonly MeshObject[] = [
  { kind: 'Pod', object: pod('inventory', { labels: LABELS }) },
  ...PORTS.map(({ service: name, port }): MeshObject => {
    const ports = [{ name, port: 80, targetPort: port }];
    return { kind: 'Service', object: service(name, { app: 'inventory' }, { ports }) };
  }),
];

/** The facts of the reference in our form. */
function ownFacts({ principal, http, ...rest }: ReferenceFacts): CallFacts {
  const { sourceIp, destinationIp, port, serverName } = rest;
  const identity = principal === undefined ? undefined : readIdentity(`spiffe://${principal}`);
  const request = http && {
    method: http.method,
    scheme: 'http',
    authority: http.host,
    path: http.path,
    headers: [...http.headers],
  };
  return {
    ...(identity && { identity }),
    sourceIp,
    destinationIp,
    port,
    ...(serverName && { serverName }),
    ...(request && { request }),
  };
}

test(`explain decides as the reference of AuthorizationPolicy does (REFERENCE_SEED=${REFERENCE_SEED})`, () => {
  const differences: unknown[] = [];
  const counts = { allowed: 0, denied: 0 };
  for (let round = 0; round < Number(REFERENCE_ROUNDS) && differences.length === 0; round++) {
    const { policies, plans } = planRound(Number(REFERENCE_SEED), round, PORTS);
    const snapshot = buildSnapshot(SETTINGS, [
      ...MESH,
      ...policies.map((object): MeshObject => ({ kind: 'AuthorizationPolicy', object })),
    ]);
    const attached = snapshot.workloads.get('uid-inventory')?.authorization ?? [];
    for (const { port, requests, connections } of plans) {
      const sound = requests.filter(({ request }) => malformation(request) === undefined);
      const calls = [
        ...sound.map(({ caller, request }) => callFacts(caller, port.port, sentFacts(request))),
        ...connections.map((caller) => callFacts(caller, port.port)),
      ];
      for (const facts of calls) {
        const wanted = decideByReference(policies, REFERENCE, facts);
        const { verdict, decidedBy, unmatched } = decideAuthorization(attached, ownFacts(facts));
        counts[wanted.allowed ? 'allowed' : 'denied']++;
        if ((verdict !== 'denied') === wanted.allowed) continue;
        const headers = facts.http && [...facts.http.headers];
        differences.push({ round, facts, headers, wanted, verdict, decidedBy, unmatched });
      }
    }
  }
  expect(differences.slice(0, 3).map((one) => JSON.stringify(one))).toEqual([]);
  expect(Math.min(counts.allowed, counts.denied)).toBeGreaterThan(500);
});
