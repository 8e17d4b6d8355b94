import { describe, expect, test } from '@jest/globals';
import type { V1Container, V1Pod } from '@kubernetes/client-node';
import fc from 'fast-check';
import jsonPatch from 'json-patch';
import { pod } from '../testing/pod.ts';
import { injectPod } from './mutate.ts';
import { diff } from './patch.ts';
import { DEFAULT_SETTINGS } from './settings.ts';

const DNS_CAPTURE = 'heddle.dev/dns-capture';
const STATUS = 'sidecar.heddle.dev/status';

const inject = (given: V1Pod, gated = false) => {
  const { pod: result, problems } = injectPod(given, DEFAULT_SETTINGS, gated);
  expect(problems).toEqual([]);
  return result;
};
const named = (result: V1Pod, name: string) => result.spec?.initContainers?.find((each) => each.name === name);

describe('injectPod', () => {
  test('puts the init container first, the sidecar second, and all others after them', () => {
    const result = inject(pod({ initContainers: [{ name: 'migrate' }, { name: 'logs', restartPolicy: 'Always' }] }));
    expect(result.spec?.initContainers?.map(({ name }) => name)).toEqual([
      'heddle-init',
      'istio-proxy',
      'migrate',
      'logs',
    ]);
    expect(named(result, 'istio-proxy')?.restartPolicy).toBe('Always');
  });

  test('re-establishes that order when another webhook has put something before it', () => {
    const first = inject(pod());
    const disturbed = {
      ...first,
      spec: {
        ...first.spec,
        containers: first.spec?.containers ?? [],
        initContainers: [{ name: 'vault' }, ...(first.spec?.initContainers ?? [])],
      },
    };
    expect(inject(disturbed).spec?.initContainers?.map(({ name }) => name)).toEqual([
      'heddle-init',
      'istio-proxy',
      'vault',
    ]);
  });

  test('keeps what another webhook changed in our containers, and sets again what protects the pod', () => {
    const first = inject(pod());
    const changed = structuredClone(first);
    const sidecar = changed.spec?.initContainers?.[1] as V1Container;
    sidecar.image = 'mirror.local/envoy:v1.40.0';
    sidecar.env?.push({ name: 'EXTRA', value: '1' });
    sidecar.volumeMounts?.push({ name: 'kube-api-access', mountPath: '/var/run/secrets/kubernetes.io/serviceaccount' });
    sidecar.securityContext = { privileged: true };
    const again = named(inject(changed), 'istio-proxy');
    expect(again).toMatchObject({
      image: 'mirror.local/envoy:v1.40.0',
      securityContext: { runAsUser: 1337, privileged: false },
    });
    expect(again?.env).toContainEqual({ name: 'EXTRA', value: '1' });
    expect(again?.volumeMounts).toHaveLength(4);
  });

  test('runs the init container with NET_ADMIN alone and the sidecar with nothing', () => {
    const result = inject(pod({ securityContext: { runAsNonRoot: true } }));
    expect(named(result, 'heddle-init')?.securityContext).toMatchObject({
      runAsUser: 0,
      runAsNonRoot: false,
      readOnlyRootFilesystem: true,
      capabilities: { add: ['NET_ADMIN'], drop: ['ALL'] },
    });
    expect(named(result, 'istio-proxy')?.securityContext).toMatchObject({
      runAsUser: 1337,
      runAsNonRoot: true,
      allowPrivilegeEscalation: false,
      readOnlyRootFilesystem: true,
      capabilities: { drop: ['ALL'] },
    });
  });

  test('labels the pod with TLS mode and canonical names', () => {
    const owner = { apiVersion: 'apps/v1', kind: 'ReplicaSet', name: 'ordering-5d9', uid: 'u', controller: true };
    const result = inject(pod({}, { ownerReferences: [owner], labels: { 'pod-template-hash': '5d9', version: 'v2' } }));
    expect(result.metadata?.labels).toMatchObject({
      'security.istio.io/tlsMode': 'istio',
      'service.istio.io/canonical-name': 'ordering',
      'service.istio.io/canonical-revision': 'v2',
    });
  });

  test('adds the gate only where it is asked to, once, and beside those of others', () => {
    expect(inject(pod()).spec?.readinessGates).toBeUndefined();
    const result = inject(pod({ readinessGates: [{ conditionType: 'other' }] }), true);
    expect(result.spec?.readinessGates).toEqual([{ conditionType: 'other' }, { conditionType: 'heddle.dev/canary' }]);
    expect(inject(result, true).spec?.readinessGates).toHaveLength(2);
  });

  test('takes resources, image and log level from annotations', () => {
    const annotations = {
      'sidecar.istio.io/proxyCPU': '20m',
      'sidecar.istio.io/proxyCPULimit': '2500m',
      'sidecar.istio.io/proxyMemoryLimit': '256Mi',
      'sidecar.istio.io/proxyImage': 'own/envoy:1',
      'sidecar.istio.io/logLevel': 'debug',
    };
    const sidecar = named(inject(pod({}, { annotations })), 'istio-proxy');
    expect(sidecar).toMatchObject({
      image: 'own/envoy:1',
      resources: { requests: { cpu: '20m', memory: '256Mi' }, limits: { cpu: '2500m', memory: '256Mi' } },
    });
    const { args = [] } = sidecar ?? {};
    expect(args[args.indexOf('--concurrency') + 1]).toBe('3');
    expect(args[args.indexOf('--log-level') + 1]).toBe('debug');
  });

  test('leaves probes alone where the pod says so', () => {
    const probe = { httpGet: { port: 80 } };
    const given = pod(
      { containers: [{ name: 'app', livenessProbe: probe }] },
      { annotations: { 'sidecar.istio.io/rewriteAppHTTPProbers': 'false' } },
    );
    expect(inject(given).spec?.containers[0]?.livenessProbe).toEqual(probe);
  });

  test('rewrites probes of native sidecars too', () => {
    const logs = { name: 'logs', restartPolicy: 'Always', readinessProbe: { tcpSocket: { port: 24224 } } };
    expect(named(inject(pod({ initContainers: [logs] })), 'logs')?.readinessProbe).toEqual({
      httpGet: { path: '/app-health/logs/readyz', port: 15020 },
    });
  });

  test('does not redirect the ports that stand in for gRPC probe ports', () => {
    const given = pod(
      { containers: [{ name: 'app', livenessProbe: { grpc: { port: 9000 } } }] },
      { annotations: { 'traffic.sidecar.istio.io/excludeInboundPorts': '7000' } },
    );
    expect(named(inject(given), 'heddle-init')?.env).toEqual([
      { name: 'HEDDLE_REDIRECT', value: '{"excludeInboundPorts":"7000,15031"}' },
    ]);
  });

  test.each([
    ['nothing', undefined, false],
    ['the mesh', undefined, true],
    ['the pod, over the mesh', 'enabled', false],
    ['the pod, against the mesh', 'disabled', true],
  ])('captures DNS as %s says, and tells the operator', (_, value, mesh) => {
    const annotations = value === undefined ? {} : { [DNS_CAPTURE]: value };
    const settings = { ...DEFAULT_SETTINGS, dnsCapture: mesh, clusterDomain: 'example.test' };
    const { pod: result } = injectPod(pod({}, { annotations }), settings);
    const captured = value === undefined ? mesh : value === 'enabled';
    expect(result.metadata?.annotations?.[DNS_CAPTURE]).toBe(captured ? 'enabled' : value);
    expect(named(result, 'heddle-init')?.env?.[0]?.value).toBe(
      captured ? '{"captureDnsOutside":"example.test"}' : '{}',
    );
  });

  test('captures DNS still when the mesh does no more by the time of another pass', () => {
    const capturing = { ...DEFAULT_SETTINGS, dnsCapture: true };
    const { pod: first } = injectPod(pod(), capturing);
    expect(inject(first)).toEqual(first);
    expect(injectPod(first, capturing).pod).toEqual(first);
  });

  test.each<[string, Partial<NonNullable<V1Pod['spec']>>, V1Pod['metadata'] & {}, string]>([
    [
      'DNS capture that is neither on nor off',
      {},
      { annotations: { [DNS_CAPTURE]: 'true' } },
      `metadata.annotations[${DNS_CAPTURE}]: "true" must be "enabled" or "disabled"`,
    ],
    [
      'a taken port',
      { containers: [{ name: 'app', ports: [{ containerPort: 80 }, { containerPort: 15001 }] }] },
      {},
      'spec.containers[0].ports[1].containerPort: 15001',
    ],
    [
      'a taken port of an init container',
      { initContainers: [{ name: 'a', ports: [{ containerPort: 15035 }] }] },
      {},
      'spec.initContainers[0].ports[0].containerPort: 15035',
    ],
    ['a taken volume name', { volumes: [{ name: 'heddle-trust' }] }, {}, 'spec.volumes[0].name: "heddle-trust"'],
    ['a taken container name', { containers: [{ name: 'heddle-init' }] }, {}, 'spec.containers[0].name: "heddle-init"'],
    [
      'the user of the sidecar on the pod',
      { securityContext: { runAsUser: 1337 } },
      {},
      'spec.securityContext.runAsUser: 1337',
    ],
    [
      'the user of the sidecar on a container',
      { containers: [{ name: 'app', securityContext: { runAsUser: 1337 } }] },
      {},
      'spec.containers[0].securityContext.runAsUser: 1337',
    ],
    [
      'a malformed annotation',
      {},
      { annotations: { 'sidecar.istio.io/proxyCPU': 'x' } },
      'metadata.annotations[sidecar.istio.io/proxyCPU]: "x" must be',
    ],
    [
      'a forged status',
      {},
      { annotations: { [STATUS]: '{"probes":{"a":{"port":"x"}}}' } },
      `metadata.annotations[${STATUS}]: is not what Heddle writes`,
    ],
  ])('refuses %s and names the field', (_, spec, metadata, expected) => {
    const given = pod(spec, metadata);
    const { pod: result, problems } = injectPod(given, DEFAULT_SETTINGS);
    expect(problems).toEqual([expect.stringContaining(expected)]);
    expect(result).toBe(given);
  });
});

describe('any pod', () => {
  const label = fc.stringMatching(/^[a-z][a-z0-9]{0,5}$/);
  const target = fc.oneof(
    fc.record({
      httpGet: fc.record(
        { port: fc.integer({ min: 1, max: 65_535 }), path: fc.string(), scheme: fc.constantFrom('HTTP', 'HTTPS') },
        { requiredKeys: ['port'] },
      ),
    }),
    fc.record({ tcpSocket: fc.record({ port: fc.integer({ min: 1, max: 65_535 }) }) }),
    fc.record({ grpc: fc.record({ port: fc.integer({ min: 1, max: 65_535 }) }) }),
    fc.record({ exec: fc.record({ command: fc.array(fc.string()) }) }),
  );
  const container = fc.record(
    {
      name: label,
      image: label,
      livenessProbe: target,
      readinessProbe: target,
      env: fc.array(fc.record({ name: label, value: fc.string() })),
    },
    { requiredKeys: ['name'] },
  );
  const containers = fc.uniqueArray(container, { minLength: 1, maxLength: 3, selector: ({ name }) => name });
  const anyPod: fc.Arbitrary<V1Pod> = fc
    .record({
      list: containers,
      initial: fc.boolean(),
      labels: fc.dictionary(label, label),
      dns: fc.constantFrom(undefined, 'enabled', 'disabled'),
    })
    .map(({ list, initial, labels, dns }) => {
      const [first, ...rest] = list as [V1Container, ...V1Container[]];
      return pod(
        initial && rest.length > 0
          ? { containers: [first], initContainers: rest }
          : { containers: list as V1Container[] },
        { labels, ...(dns === undefined ? {} : { annotations: { [DNS_CAPTURE]: dns } }) },
      );
    });

  test('is changed once and never again', () => {
    fc.assert(
      fc.property(anyPod, fc.boolean(), (given, gated) => {
        const before = structuredClone(given);
        const once = inject(given, gated);
        expect(given).toEqual(before);
        expect(diff(once, inject(once, gated))).toEqual([]);
      }),
    );
  });

  test('becomes by its patch what injection made of it', () => {
    fc.assert(
      fc.property(anyPod, (given) => {
        const result = inject(given);
        const patched = jsonPatch.apply(structuredClone(given), diff(given, result));
        expect(patched).toEqual(JSON.parse(JSON.stringify(result)));
      }),
    );
  });
});
