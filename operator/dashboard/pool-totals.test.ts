import { describe, expect, test } from '@jest/globals';
import { flowKey } from '../telemetry/flow-series.ts';
import { overflowKey } from '../telemetry/open-series.ts';
import { encodeLabels } from '../telemetry/testing/encoded-labels.ts';
import type { PoolReading } from './pool-totals.ts';
import { call, ORDERING, setUp } from './reported-mesh.fixture.ts';

describe('pools of connections', () => {
  test('tells how full pools are, of the fullest caller, and what they refused', async () => {
    const { report, pass, ask, pools } = setUp();
    const cluster = (port: number) => encodeLabels({ cluster_name: `outbound|${port}||${ORDERING}` });
    const labels = call({ response_code: '0', response_flags: 'UO' });
    report('ui-1', {
      [call()]: 7,
      [overflowKey(cluster(80))]: 3,
      // Counted again by the flags of connections.
      [overflowKey(cluster(5432))]: 9,
      [flowKey('opened', 'tcp', labels)]: 2,
    });
    const reading = (connections: number, active: number, pending: number): PoolReading => ({
      ...{ source: 'shop/ui', destination: 'shop/ordering', transports: ['http'] },
      ...{ open: { connections, active, pending }, limits: { connections: 4, pending: 10 } },
    });
    // Idle connections fill nothing.
    pools.push(reading(4, 0, 0), reading(2, 2, 1), reading(1, 1, 2));
    pass(5000);
    const { edges, nodes } = await ask();
    expect(edges.map(({ id, pool }) => [id, pool])).toEqual([
      [
        'shop/ui>shop/ordering',
        {
          ...{ connections: { now: 2, limit: 4 }, active: { now: 2 }, pending: { now: 1, limit: 10 } },
          ...{ share: 0.5, overflow: 3 },
        },
      ],
      ['shop/ui>shop/ordering#tcp', undefined],
    ]);
    const saturation = Object.fromEntries(nodes.map(({ id, saturation: of }) => [id, of]));
    expect(saturation['shop/ordering']).toEqual({ pending: 3, overflow: 5, poolShare: 0.5 });
    expect(saturation['shop/ui']).toEqual({ pending: 0, overflow: 0 });
  });

  test('tells how full those towards applications are by themselves, with what they refused', async () => {
    const { report, pass, ask, pools } = setUp();
    const overflow = (port: number) => overflowKey(encodeLabels({ cluster_name: `inbound|${port}||` }));
    report('ordering-1', { [overflow(80)]: 4, [overflow(5432)]: 9 });
    report('ui-1', { [call()]: 1 });
    const own = (active: number) => ({
      ...{ application: 'shop/ordering', open: { connections: 2, active, pending: 0 }, limits: { connections: 2 } },
    });
    pools.push(own(0), own(2), own(1));
    pass(5000);
    const { nodes } = await ask();
    const saturation = Object.fromEntries(nodes.map(({ id, saturation: of }) => [id, of]));
    expect(saturation['shop/ordering']?.ownPool).toEqual({
      ...{ connections: { now: 2, limit: 2 }, active: { now: 2 }, pending: { now: 0 } },
      ...{ share: 1, overflow: 4 },
    });
    expect(saturation['shop/ui']).not.toHaveProperty('ownPool');
  });

  test('does not tell that nobody waits or was refused while reports are missing', async () => {
    const { report, pass, ask } = setUp({}, ['no report of shop/ui-9 since 40 s']);
    report('ui-1', { [call()]: 7 });
    pass(5000);
    for (const { saturation } of (await ask()).nodes) expect(saturation).toBeUndefined();
    report('ui-1', { [overflowKey(encodeLabels({ cluster_name: `outbound|80||${ORDERING}` }))]: 3 });
    pass(5000);
    expect((await ask()).nodes.map(({ saturation }) => saturation)).toEqual([undefined, { overflow: 3 }, undefined]);
  });
});
