import { execFile } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import type { Registry } from '@bufbuild/protobuf';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { envoyBinary } from '../../hack/envoy/binary.ts';
import type { AppProtocol } from '../../operator/mesh/snapshot.ts';
import { translateOutboundListener } from '../../operator/xds/outbound-listener.ts';
import { buildOutboundTarget, type OutboundTarget, type TargetInput } from '../../operator/xds/outbound-target.ts';
import { type PortListenerOptions, translatePortListener } from '../../operator/xds/port-listener.ts';
import type { XdsResource } from '../../operator/xds/resource.ts';
import { envoyRegistry } from '../../operator/xds/testing/envoy-registry.ts';
import { listenersBootstrap } from '../../operator/xds/testing/listeners-bootstrap.ts';
import { endpoint, port, service } from '../../operator/xds/testing/mesh-fixture.ts';
import { entry, targetInput } from '../../operator/xds/testing/target-fixture.ts';

let directory: string;
let registry: Registry;
beforeAll(async () => {
  directory = mkdtempSync(join(tmpdir(), 'listeners-'));
  registry = envoyRegistry();
});
afterAll(() => rmSync(directory, { recursive: true, force: true }));

const PORT = 8443;
const host = fc.constantFrom('a.example', '*.example', '*.b.example', 'b.example', 'c.d');
const block = fc.constantFrom(
  '10.0.0.0/8',
  '10.1.2.3/16',
  '0.0.0.0/0',
  '::/0',
  'fd00::/8',
  '192.0.2.1',
  'nonsense',
  '10.0.0.0/99',
);
const address = fc.oneof(block, fc.constantFrom('10.96.0.1', '10.97.0.1', '240.0.0.1', 'fd00::1', '0.0.0.0'));
const backends = fc.array(fc.record({ hostname: host, weight: fc.constantFrom(0, 1, 50, 4_294_967_295) }), {
  maxLength: 3,
});
const subnets = fc.array(block, { maxLength: 2 });
const match = fc.record({
  sniHosts: fc.array(fc.oneof(host, fc.constant('*')), { minLength: 1, maxLength: 3 }),
  subnets,
});
const protocols: readonly AppProtocol[] = ['tcp', 'tls', 'auto', 'http'];

const arbitraryInput: fc.Arbitrary<TargetInput> = fc
  .record({
    kind: fc.constantFrom('ClusterIP' as const, 'Headless' as const, 'Entry' as const),
    hostname: host,
    protocol: fc.constantFrom(...protocols),
    addresses: fc.uniqueArray(address, { maxLength: 3 }),
    resolution: fc.constantFrom('endpoints' as const, 'original-destination' as const),
    tcp: fc.array(fc.record({ matches: fc.array(fc.record({ subnets }), { maxLength: 2 }), backends }), {
      maxLength: 3,
    }),
    tls: fc.array(fc.record({ matches: fc.array(match, { minLength: 1, maxLength: 2 }), backends }), { maxLength: 3 }),
    mtls: fc.boolean(),
    dnsCapture: fc.boolean(),
    hashes: fc.boolean(),
  })
  .map(({ kind, hostname, protocol, addresses, resolution, mtls, hashes, ...more }) => {
    const ports = [port(PORT, protocol, 'p')];
    const of =
      kind === 'Entry'
        ? entry(hostname, ports, { addresses, resolution, dnsAddress: '240.0.0.7' })
        : service(`${hostname[0] === '*' ? 'w' : 'x'}.shop`, ports, {
            kind,
            addresses: kind === 'Headless' ? [] : ['10.96.0.1'],
          });
    const endpoints = [endpoint('10.0.0.1', { p: PORT }), endpoint('10.0.0.2', { p: PORT }, { mtls })];
    const hashPolicies = hashes ? [{ kind: 'source-ip' } as const] : [];
    const resolve = ({ hostname: cluster }: { hostname: string }) => ({
      shares: [{ cluster, weight: 100 }],
      hashPolicies,
    });
    return targetInput(of, { ...more, endpoints, resolve });
  });

const arbitraryOptions: fc.Arbitrary<PortListenerOptions> = fc.record(
  {
    dualStack: fc.boolean(),
    outboundPolicy: fc.constantFrom('ALLOW_ANY' as const, 'REGISTRY_ONLY' as const),
    bind: fc.constantFrom(
      { address: '127.0.0.1', name: 'bound' },
      { address: '::1', name: 'bound' },
      { address: 'unix:///tmp/x', name: 'bound' },
    ),
  },
  { requiredKeys: ['dualStack', 'outboundPolicy'] },
);

/** What Envoy has to say against the listeners; '' when it takes them. */
async function objections(listeners: readonly XdsResource[]): Promise<string> {
  const file = join(directory, 'envoy.json');
  const renamed = listenersBootstrap({ listeners, clusters: {}, http: 'http' }, registry);
  writeFileSync(file, JSON.stringify(apart(renamed)));
  const command = ['--mode', 'validate', '--disable-hot-restart', '-l', 'error', '-c', file];
  return promisify(execFile)(await envoyBinary(), command).then(
    ({ stdout }) => (stdout.includes('OK') ? '' : stdout),
    (error: unknown) => String(error),
  );
}

/** Many listeners of one port, side by side: Envoy wants their names and addresses to differ. */
function apart(bootstrap: ReturnType<typeof listenersBootstrap>): unknown {
  const text = JSON.stringify(bootstrap);
  // What `listenersBootstrap` always has.
  const { static_resources: resources, admin } = JSON.parse(text) as {
    static_resources: { listeners: object[] };
    admin: object;
  };
  return {
    admin,
    static_resources: {
      ...resources,
      listeners: resources.listeners.map((listener, index) => ({
        ...listener,
        name: `listener ${index}`,
        additional_addresses: [],
        address: { socket_address: { address: '127.0.0.1', port_value: 10_000 + index } },
      })),
    },
  };
}

test('Envoy takes the listener of any targets', async () => {
  const inputs = fc.array(arbitraryInput, { maxLength: 6 });
  const listeners = fc.array(fc.tuple(inputs, arbitraryOptions), { minLength: 40, maxLength: 60 });
  await fc.assert(
    fc.asyncProperty(listeners, async (some) => {
      const built = some.map(([each, options]) => {
        const targets = each.map(buildOutboundTarget).filter((one) => one !== undefined);
        // As the operator keeps them, as text; parsed, it is what it was, as the next line proves.
        const copies = JSON.parse(JSON.stringify(targets)) as OutboundTarget[];
        expect(copies).toEqual(targets);
        return translatePortListener(PORT, copies, options);
      });
      expect(await objections(built)).toBe('');
    }),
    { numRuns: 2, interruptAfterTimeLimit: 20_000 },
  );
}, 40_000);

test('Envoy takes the entrance of either policy', async () => {
  const policies = ['ALLOW_ANY', 'REGISTRY_ONLY'] as const;
  expect(
    await objections(policies.map((outboundPolicy) => translateOutboundListener({ dualStack: true, outboundPolicy }))),
  ).toBe('');
}, 20_000);

test('that it refuses what is wrong shows that it looks', async () => {
  const wrong: OutboundTarget = {
    port: PORT,
    addresses: ['10.0.0.1'],
    mode: 'tcp',
    chain: { name: 'nowhere', shares: [] },
  };
  const options = { dualStack: false, outboundPolicy: 'ALLOW_ANY' } as const;
  expect(await objections([translatePortListener(PORT, [wrong], options)])).toContain('WeightedCluster');
}, 20_000);
