import type { IncomingMessage, ServerResponse } from 'node:http';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import type { TrafficPolicy } from '../../operator/mesh/destination-policy.ts';
import type { Locality } from '../../operator/mesh/snapshot.ts';
import { envoyRegistry } from '../../operator/xds/testing/envoy-registry.ts';
import { EJECTING, repeat, tally } from './support/policy-answers.ts';
import { type PolicyBed, startPolicyBed, startServer, type TestServer } from './support/policy-bed.ts';

const place = (region: string): Locality => ({ region, zone: 'z', subzone: '' });
const HERE = { locality: place('here'), labels: {} };

describe('the real Envoy of a client in a locality', () => {
  let bed: PolicyBed;
  const servers: TestServer[] = [];

  const serve = async (...input: Parameters<typeof startServer>): Promise<TestServer> => {
    const started = await startServer(...input);
    servers.push(started);
    return started;
  };

  beforeAll(async () => {
    bed = await startPolicyBed(envoyRegistry());
  }, 60_000);

  afterAll(async () => {
    await bed?.stop();
    for (const { server } of servers) server.close();
  });

  test('goes to the next locality once the endpoints of its own are out', async () => {
    const near = await serve('near', (_, response) => void response.writeHead(500).end());
    const [other, far] = [await serve('other'), await serve('far')];
    const policy: TrafficPolicy = {
      ...EJECTING,
      loadBalancer: { simple: 'ROUND_ROBIN', localityLbSetting: { failover: [{ from: 'here', to: 'there' }] } },
    };
    const members = [near, other, far].map((server, index) =>
      server.endpoint({ locality: place(['here', 'elsewhere', 'there'][index] ?? '') }),
    );
    const cluster = await bed.use('failover', members, { policy, client: HERE });
    const first = tally(await repeat(12, () => bed.call(cluster)));
    expect(first[500]).toBeGreaterThanOrEqual(2);
    expect(tally(await repeat(12, () => bed.call(cluster)))).toEqual({ far: 12 });
  });

  test('prefers endpoints with the client’s own labels, in the order that failoverPriority gives', async () => {
    const fail = (_: IncomingMessage, response: ServerResponse): void => void response.writeHead(500).end();
    const [own, other] = [await serve('own', fail), await serve('other')];
    const policy: TrafficPolicy = {
      ...EJECTING,
      loadBalancer: { simple: 'ROUND_ROBIN', localityLbSetting: { failoverPriority: ['rack'] } },
    };
    const members = [own, other].map((server, index) => server.endpoint({ labels: { rack: `r${index}` } }));
    const client = { ...HERE, labels: { rack: 'r0' } };
    const cluster = await bed.use('labelled', members, { policy, client });
    expect((await bed.call(cluster)).status).toBe(500);
    expect(tally(await repeat(12, () => bed.call(cluster)))[500]).toBeGreaterThanOrEqual(1);
    expect(tally(await repeat(12, () => bed.call(cluster)))).toEqual({ other: 12 });
  });

  test('retries in other localities where that is asked for', async () => {
    const fail = (_: IncomingMessage, response: ServerResponse): void => void response.writeHead(503).end();
    const [near, far] = [await serve('near', fail), await serve('far')];
    const policy: TrafficPolicy = { outlierDetection: { consecutive5xxErrors: 0, interval: '1h' } };
    const members = [near, far].map((server, index) =>
      server.endpoint({ locality: place(index === 0 ? 'here' : 'elsewhere') }),
    );
    const cluster = await bed.use('remote', members, { policy, client: HERE });
    expect(tally(await repeat(5, () => bed.call(cluster, {}, '/retry')))).toEqual({ 503: 5 });
    const before = near.seen;
    expect(tally(await repeat(5, () => bed.call(cluster, {}, '/elsewhere')))).toEqual({ far: 5 });
    // Each begins where it would without retries.
    expect(near.seen).toBeGreaterThanOrEqual(before + 5);
  });

  test('divides requests among localities by percent', async () => {
    const [near, far, off] = [await serve('near'), await serve('far'), await serve('off')];
    const to = { 'here/*': 80, there: 20 };
    const policy: TrafficPolicy = {
      loadBalancer: { simple: 'ROUND_ROBIN', localityLbSetting: { distribute: [{ from: 'here/z/*', to }] } },
    };
    const members = [near, far, off].map((server, index) =>
      server.endpoint({ locality: place(['here', 'there', 'elsewhere'][index] ?? '') }),
    );
    const cluster = await bed.use('distribute', members, { policy, client: HERE });
    const counts = tally(await repeat(100, () => bed.call(cluster)));
    expect(Object.keys(counts).sort()).toEqual(['far', 'near']);
    expect(Math.abs((counts.near ?? 0) - 80)).toBeLessThanOrEqual(2);
  });
});
