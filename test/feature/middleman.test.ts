import { afterAll, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import { eventually } from '../../kube/testing/memory-api.ts';
import { peerAuthentication } from '../../operator/mesh/testing/objects.ts';
import { MESH_ALPN } from '../../proxy/names.ts';
import { type Identity, issueCertificate } from '../e2e/testbed/certificate.ts';
import { type Meeting, serveMiddleman } from '../e2e/testbed/middleman.ts';
import { freePort } from './support/free-port.ts';
import { PeerWorld, PRINCIPAL, STRANGER } from './support/peer-world.ts';

const NAME = `spiffe://${PRINCIPAL}`;
let world: PeerWorld;
let plan: Record<'relayPort' | 'attackPort', number>;
const endings: (() => void)[] = [];

beforeAll(async () => {
  world = await PeerWorld.start();
  await world.enforce([peerAuthentication('shop/n', { mtls: { mode: 'STRICT' } })]);
  plan = { relayPort: await freePort(), attackPort: await freePort() };
}, 60_000);
beforeEach(() => {
  for (const end of endings.splice(0)) end();
});
afterAll(async () => {
  for (const end of endings.splice(0)) end();
  await world?.stop();
});

/** Has somebody get in between with a certificate of his own for each side. @returns what he met with, as it comes */
async function getBetween(
  way: 'relayPort' | 'attackPort',
  asServer: Identity,
  asCaller: Identity,
): Promise<readonly Meeting[]> {
  const met: Meeting[] = [];
  const target = { host: '127.0.0.1', port: 0 };
  const request = 'GET /stolen HTTP/1.1\r\nhost: http.shop\r\n\r\n';
  const toServer = () => world.wire.toSidecar(world.port('http').number);
  const whole = { ...plan, target, asServer, asCaller, alpn: [MESH_ALPN], request };
  const middleman = await serveMiddleman(whole, (meeting) => met.push(meeting), toServer, '127.0.0.1');
  endings.push(middleman.close, () => {
    world.wire.diverted = undefined;
  });
  world.wire.cut();
  world.wire.diverted = plan[way];
  return met;
}

/** Certificates for a name by an authority of somebody's own. */
function ownAuthority(name: string): Identity {
  const authority = issueCertificate({ commonName: 'his own', authority: true });
  const issuer = { commonName: 'his own', key: authority.key };
  const { cert, key } = issueCertificate({ commonName: 'x', names: [name], issuer });
  return { cert: cert + authority.cert, key };
}

const refusals = async (): Promise<number> => {
  const stats = await world.server.admin('/stats?filter=listener.*ssl.fail_verify_error');
  return [...stats.matchAll(/: (\d+)$/gm)].reduce((sum, [, count]) => sum + Number(count), 0);
};

describe('a man in the middle', () => {
  test.each<[string, () => Identity]>([
    ['with a CA of his own and the right name', () => ownAuthority(NAME)],
    [
      'with a certificate for the right name that he signed himself',
      () => issueCertificate({ commonName: 'x', names: [NAME] }),
    ],
  ])('%s is refused by both sides, and gets nothing from either', async (_, makeIdentity) => {
    const before = await refusals();
    const met = await getBetween('attackPort', makeIdentity(), makeIdentity());
    world.asked.length = 0;
    const { status, body } = await world.call('http', '/wanted');
    expect([status, body]).toEqual([503, expect.stringContaining('connection failure')]);
    await eventually(() => met.length > 0);
    expect(met.map(({ caller, target }) => caller.heard + target.heard).join('')).toBe('');
    for (const { caller, target } of met) {
      const unknown = expect.stringContaining('alert unknown ca');
      expect([caller.error, target.error]).toEqual([unknown, unknown]);
    }
    expect(await refusals()).toBeGreaterThan(before);
    const counted = await world.client.admin('/stats/prometheus?filter=istio_requests_total');
    // No connection to the upstream came about.
    expect(counted).toMatch(/response_code="503",grpc_response_status="",response_flags="[A-Z,]*UF"/);
    expect(world.asked).toEqual([]);
  });

  test('of the mesh, who is somebody else, is refused by the caller, who wants the name of the server', async () => {
    // As the mesh's own authority would have made it.
    const { certificates, workload } = world.credentials;
    const stranger = { cert: certificates.get(STRANGER) ?? '', key: workload.key };
    const met = await getBetween('attackPort', stranger, ownAuthority(NAME));
    world.asked.length = 0;
    const { status, body } = await world.call('http', '/wanted');
    expect([status, body]).toEqual([503, expect.stringContaining('connection failure')]);
    await eventually(() => met.length > 0);
    expect(met.map(({ caller, target }) => caller.heard + target.heard).join('')).toBe('');
    expect(met.map(({ caller }) => caller.error)).toEqual(
      met.map(() => expect.stringContaining('alert certificate unknown')),
    );
    expect(world.asked).toEqual([]);
  });

  test('who had the key of the server would get all, so that the above shows something', async () => {
    const met = await getBetween('attackPort', world.credentials.workload, world.credentials.workload);
    world.asked.length = 0;
    expect((await world.call('http', '/wanted')).status).toBe(200);
    world.wire.cut();
    await eventually(() => met.some(({ caller }) => caller.heard.includes('/wanted')));
    expect(world.asked).toEqual(expect.arrayContaining(['/stolen']));
  });

  test('who passes on what he can’t read does no harm', async () => {
    const met = await getBetween('relayPort', ownAuthority(NAME), ownAuthority(NAME));
    const answer = await world.call('http', '/wanted');
    expect(answer).toEqual({ status: 200, body: 'you asked for /wanted' });
    world.wire.cut();
    await eventually(() => met.some(({ target }) => target.heard !== ''));
    const heard = met.map(({ caller, target }) => caller.heard + target.heard).join('');
    expect(heard.length).toBeGreaterThan(1000);
    expect(heard).not.toContain('wanted');
  });
});
