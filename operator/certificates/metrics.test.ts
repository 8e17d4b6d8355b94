import { afterEach, describe, expect, test } from '@jest/globals';
import { Registry } from 'prom-client';
import { SECRET } from '../../kube/kinds.ts';
import { eventually, MemoryApi } from '../../kube/testing/memory-api.ts';
import { registerCertificateMetrics } from './metrics.ts';
import { expiryOf } from './root-state.ts';
import { foreignAuthority, userSecret } from './testing/chain.ts';
import { ask, Proxies, startLeader } from './testing/leader.ts';

const cleanups: (() => unknown)[] = [];
afterEach(async () => {
  for (const cleanup of cleanups.splice(0).reverse()) await cleanup();
});

async function measured(api = new MemoryApi()) {
  const proxies = new Proxies();
  const mesh = await startLeader(api, proxies, cleanups);
  const registry = new Registry();
  registerCertificateMetrics(registry, mesh);
  /** Values by what stands in braces. */
  const read = async (name: string): Promise<Record<string, number>> => {
    const lines = (await registry.getSingleMetricAsString(name)).split('\n').filter((line) => !line.startsWith('#'));
    return Object.fromEntries(lines.map((line) => [/"(.*)"/.exec(line)?.[1] ?? '', Number(line.split(' ').at(-1))]));
  };
  return { api, mesh, proxies, read };
}

describe('the metrics of certificates', () => {
  test('say from their first day on when root, intermediate and serving certificate expire', async () => {
    const { mesh, read } = await measured();
    await eventually(() => mesh.server.expiresAt !== undefined);
    const { state, signerExpiresAt = 0 } = mesh.authority;
    expect(await read('heddle_certificate_expiry_timestamp_seconds')).toEqual({
      root: state && expiryOf(state) / 1000,
      intermediate: signerExpiresAt / 1000,
      xds: (mesh.server.expiresAt ?? 0) / 1000,
    });
  });

  test('say so of the CA of the user, and of the root that comes next, with the phase of the rotation', async () => {
    const { api, mesh, proxies, read } = await measured();
    proxies.take(0, mesh);
    expect(await read('heddle_root_rotation_phase')).toMatchObject({ Stable: 1, Distributing: 0 });
    const { root, signing } = await foreignAuthority();
    await api.create(SECRET, userSecret(root, signing));
    await ask(api, 'now');
    await eventually(() => mesh.authority.state?.phase === 'Distributing');
    expect(await read('heddle_root_rotation_phase')).toMatchObject({ Stable: 0, Distributing: 1 });
    const expiry = await read('heddle_certificate_expiry_timestamp_seconds');
    expect(expiry['next-root']).toBe(signing.certificate.validToDate.getTime() / 1000);
  });
});
