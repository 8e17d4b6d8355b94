import { describe, expect } from '@jest/globals';
import { waitUntil } from '../../../hack/mesh/wait.ts';
import { clusterSetup, clusterTest, type TestNamespace, useNamespace } from '../support/namespace.ts';
import { probeFailed } from '../support/pod-events.ts';
import { Client } from '../support/testbed-client.ts';
import { client, GREETING_PORT, HTTP2_PORT, pod, server, TESTBED_IMAGE } from '../support/testbed-objects.ts';

const mesh = useNamespace('inject');
const plain = useNamespace('plain', {});
const baseline = useNamespace('baseline', {
  'heddle.dev/injection': 'enabled',
  'pod-security.kubernetes.io/enforce': 'baseline',
});

const revision = useNamespace('revision', { 'istio.io/rev': 'heddle' });
const istioLabelled = useNamespace('istio-label', { 'istio-injection': 'enabled' });

interface Container {
  readonly name: string;
  readonly restartPolicy?: string;
  readonly image: string;
  readonly args?: readonly string[];
  readonly resources?: {
    readonly requests?: Readonly<Record<string, string>>;
    readonly limits?: Readonly<Record<string, string>>;
  };
}

interface Pod {
  readonly metadata: { readonly labels: Readonly<Record<string, string>> };
  readonly spec: { readonly initContainers?: readonly Container[]; readonly containers: readonly Container[] };
  readonly status: {
    readonly phase: string;
    readonly conditions?: readonly { type: string; status: string }[];
    readonly containerStatuses?: readonly { name: string; restartCount: number }[];
  };
}

const names = (found: Pod | undefined): string[] => (found?.spec.initContainers ?? []).map(({ name }) => name);

/** Asks the API server without making the pod, so that the answer is all that is looked at. */
async function dryRun(space: TestNamespace, object: object): Promise<{ pod: Pod | undefined; stderr: string }> {
  const args = ['create', '-n', space.name, '--dry-run=server', '-o', 'json', '-f', '-'];
  const { code, stdout, stderr } = await space.kubectl.try(args, { input: JSON.stringify(object) });
  return { pod: code === 0 ? (JSON.parse(stdout) as Pod) : undefined, stderr };
}

const INJECTED = ['heddle-init', 'istio-proxy'];

describe('who is injected', () => {
  clusterTest('a pod of a labelled namespace: init container first, then Envoy, before its own', [mesh], async () => {
    const own = [{ name: 'own', image: TESTBED_IMAGE, command: ['node', '-e', '0'] }];
    const { pod: made } = await dryRun(mesh, pod('a', {}, { initContainers: own }));
    expect(names(made)).toEqual([...INJECTED, 'own']);
    expect(made?.spec.initContainers?.[1]?.restartPolicy).toBe('Always');
    expect(made?.metadata.labels['security.istio.io/tlsMode']).toBe('istio');
  });

  clusterTest("the pod's own word decides over the namespace", [mesh, plain], async () => {
    const label = (key: string, value: string): object => ({ labels: { [key]: value } });
    expect(names((await dryRun(plain, pod('a'))).pod)).toEqual([]);
    expect(names((await dryRun(plain, pod('a', label('sidecar.istio.io/inject', 'true')))).pod)).toEqual(INJECTED);
    expect(names((await dryRun(plain, pod('a', label('heddle.dev/inject', 'true')))).pod)).toEqual(INJECTED);
    expect(names((await dryRun(mesh, pod('a', label('sidecar.istio.io/inject', 'false')))).pod)).toEqual([]);
    const opted = (annotations: object, labels: object = {}): object => pod('a', { annotations, labels });
    expect(names((await dryRun(plain, opted({ 'sidecar.istio.io/inject': 'true' }))).pod)).toEqual(INJECTED);
    expect(names((await dryRun(plain, opted({ 'heddle.dev/inject': 'true' }))).pod)).toEqual(INJECTED);
    const contrary = opted({ 'sidecar.istio.io/inject': 'true' }, { 'sidecar.istio.io/inject': 'false' });
    expect(names((await dryRun(plain, contrary)).pod)).toEqual([]);
    const annotation = { annotations: { 'sidecar.istio.io/inject': 'false' } };
    expect(names((await dryRun(mesh, pod('a', annotation))).pod)).toEqual([]);
  });

  clusterTest('pods on the host network and pods with an istio-proxy are left alone', [mesh], async () => {
    expect(names((await dryRun(mesh, pod('a', {}, { hostNetwork: true }))).pod)).toEqual([]);
    const foreign = { name: 'istio-proxy', image: TESTBED_IMAGE, command: ['node', '-e', '0'] };
    const { pod: made } = await dryRun(mesh, pod('a', {}, { initContainers: [foreign] }));
    expect(names(made)).toEqual(['istio-proxy']);
  });

  clusterTest(
    'annotations set resources, image and log level of the sidecar, and leave probes alone if told',
    [mesh],
    async () => {
      const annotations = {
        'sidecar.istio.io/proxyCPU': '123m',
        'sidecar.istio.io/proxyMemory': '77Mi',
        'sidecar.istio.io/proxyCPULimit': '456m',
        'sidecar.istio.io/proxyMemoryLimit': '99Mi',
        'sidecar.istio.io/proxyImage': 'envoyproxy/envoy:other',
        'sidecar.istio.io/logLevel': 'debug',
        'sidecar.istio.io/rewriteAppHTTPProbers': 'false',
      };
      const probe = { readinessProbe: { httpGet: { path: '/readyz', port: 8080 } } };
      const { pod: made } = await dryRun(mesh, pod('a', { annotations }, {}, probe));
      const sidecar = made?.spec.initContainers?.[1];
      expect(sidecar?.resources?.requests).toEqual({ cpu: '123m', memory: '77Mi' });
      expect(sidecar?.resources?.limits).toEqual({ cpu: '456m', memory: '99Mi' });
      expect(sidecar?.image).toBe('envoyproxy/envoy:other');
      expect(sidecar?.args).toContain('debug');
      expect(made?.spec.containers[0]).toMatchObject(probe);
      const { pod: rewritten } = await dryRun(mesh, pod('a', {}, {}, probe));
      expect(rewritten?.spec.containers[0]).toMatchObject({ readinessProbe: { httpGet: { port: 15_020 } } });
    },
  );

  clusterTest(
    'istio.io/rev=heddle opts in; istio-injection=enabled does where no Istio injector is',
    [revision],
    async () => {
      expect(names((await dryRun(revision, pod('a'))).pod)).toEqual(INJECTED);
      expect(names((await dryRun(istioLabelled, pod('a'))).pod)).toEqual(INJECTED);
      const name = 'istio-sidecar-injector-heddle-test';
      const kind = 'MutatingWebhookConfiguration';
      const injector = { apiVersion: 'admissionregistration.k8s.io/v1', kind, metadata: { name }, webhooks: [] };
      await mesh.kubectl.apply(JSON.stringify(injector));
      try {
        await waitUntil('the injector is noticed', async () =>
          names((await dryRun(istioLabelled, pod('a'))).pod).length === 0 ? undefined : 'still injected',
        );
        expect(names((await dryRun(revision, pod('a'))).pod)).toEqual(INJECTED);
      } finally {
        await mesh.kubectl.run(['delete', kind.toLowerCase(), name]);
      }
    },
  );
});

describe('what is refused', () => {
  const refusals: [string, object, RegExp][] = [
    ['a port of Envoy', pod('a', {}, {}, { ports: [{ containerPort: 15_001 }] }), /15001/],
    [
      'a volume of ours',
      pod('a', {}, { volumes: [{ name: 'heddle-token', emptyDir: {} }] }),
      /volumes.*heddle-token|heddle-token.*volume/,
    ],
    ["Envoy's user", pod('a', {}, {}, { securityContext: { runAsUser: 1337 } }), /runAsUser.*1337|1337.*runAsUser/],
    [
      'a malformed annotation',
      pod('a', { annotations: { 'traffic.sidecar.istio.io/excludeOutboundPorts': 'http' } }),
      /excludeOutboundPorts/,
    ],
  ];
  for (const [what, object, message] of refusals) {
    clusterTest(`${what}, with the field named`, [mesh], async () => {
      const { pod: made, stderr } = await dryRun(mesh, object);
      expect(made).toBeUndefined();
      expect(stderr).toMatch(message);
    });
  }

  clusterTest('a PodSecurity level that forbids the init container is warned of', [baseline], async () => {
    const { stderr } = await dryRun(baseline, pod('a'));
    expect(stderr).toMatch(/PodSecurity|pod-security/);
    expect(stderr).toContain('privileged');
  });
});

describe('how injected pods live', () => {
  clusterSetup([mesh], async () => {
    await mesh.apply(...client('caller'));
    await mesh.rolledOut('caller');
  });

  clusterTest('a Job ends although it has a sidecar, and its first request works', [mesh], async () => {
    await mesh.apply(...server('echo'));
    await mesh.rolledOut('echo');
    await mesh.apply({
      apiVersion: 'batch/v1',
      kind: 'Job',
      metadata: { name: 'once' },
      spec: {
        backoffLimit: 0,
        template: {
          spec: {
            restartPolicy: 'Never',
            securityContext: { runAsNonRoot: true, runAsUser: 65_532 },
            containers: [
              {
                name: 'app',
                image: TESTBED_IMAGE,
                imagePullPolicy: 'IfNotPresent',
                command: ['node', '/app/main.ts', 'http', 'http://echo/'],
              },
            ],
          },
        },
      },
    });
    await mesh.run('wait', 'job/once', '--for=condition=Complete', '--timeout=90s');
    const { body } = JSON.parse(await mesh.run('logs', 'job/once', '-c', 'app')) as { body: string };
    expect(body).toContain('x-forwarded-client-cert');
  });

  clusterTest('own init containers run after Envoy and can use the mesh', [mesh], async () => {
    const own = {
      name: 'own',
      image: TESTBED_IMAGE,
      imagePullPolicy: 'IfNotPresent',
      command: ['node', '/app/main.ts', 'http', 'http://echo/'],
    };
    await mesh.apply(pod('init-user', {}, { initContainers: [own] }));
    await mesh.run('wait', 'pod/init-user', '--for=condition=Ready', '--timeout=60s');
    expect(await mesh.run('logs', 'init-user', '-c', 'own')).toContain('sa/default');
  });

  clusterTest(
    'TCP and gRPC probes and httpGet hooks pass under STRICT, and a failing probe still fails',
    [mesh],
    async () => {
      await mesh.apply({
        apiVersion: 'security.istio.io/v1',
        kind: 'PeerAuthentication',
        metadata: { name: 'default' },
        spec: { mtls: { mode: 'STRICT' } },
      });
      const probed = (name: string, container: object): object[] =>
        server(name, {
          container: { ...container, lifecycle: { postStart: { httpGet: { path: '/hook', port: 8080 } } } },
        });
      await mesh.apply(
        ...probed('tcp-probed', { readinessProbe: { tcpSocket: { port: GREETING_PORT }, periodSeconds: 1 } }),
        ...probed('grpc-probed', { readinessProbe: { grpc: { port: HTTP2_PORT }, periodSeconds: 1 } }),
        ...server('unready', { container: { readinessProbe: { tcpSocket: { port: 9999 }, periodSeconds: 1 } } }),
      );
      await mesh.rolledOut('tcp-probed');
      await mesh.rolledOut('grpc-probed');
      await probeFailed(mesh, 'unready');
      const [unready] = await mesh.list<Pod>('pods', 'app=unready');
      expect(unready?.status.conditions?.find(({ type }) => type === 'ContainersReady')?.status).toBe('False');
      const hooked = await new Client(mesh, 'deployment/tcp-probed').http('http://127.0.0.1:8080/');
      expect(hooked.headers?.['x-hooks']).toBe('1');
    },
  );
});
