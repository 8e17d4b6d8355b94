import { describe, expect, test } from '@jest/globals';
import type { V1Container, V1Pod } from '@kubernetes/client-node';
import fc from 'fast-check';
import { parse, stringify } from 'yaml';
import { injectPod } from '../../webhook/inject/mutate.ts';
import { diff } from '../../webhook/inject/patch.ts';
import { DEFAULT_SETTINGS } from '../../webhook/inject/settings.ts';
import { injectStream, uninjectStream } from './edit-stream.ts';

const inject = (text: string) => injectStream(text, 'a.yaml', DEFAULT_SETTINGS);
const uninject = (text: string) => uninjectStream(text, 'a.yaml');

const STREAM = `# Everything of the shop.
---
apiVersion: v1
kind: ConfigMap   # stays
metadata: {name:   ui, labels: {"a":'b'}}
data:
  text: |
    --- no document
---
# The front.
apiVersion: apps/v1
kind: Deployment
metadata:
  name: ui
  namespace: shop
spec:
  selector: { matchLabels: { app: ui } }
  template:
    metadata:
      labels: { app: ui } # by which the Service finds it
    spec:
      initContainers:
      # before all
      - name: migrate
        image: "migrate:1"
      containers:
      - name: ui
        image: ui:1   # pinned
        readinessProbe:
          httpGet: { port: "8080", path: healthz }
      volumes:
      - name: data
        emptyDir: {}
---
kind: Service
apiVersion: v1
metadata: {name: ui}
`;

interface Workload {
  readonly kind: string;
  readonly spec: { readonly template: V1Pod & { spec: NonNullable<V1Pod['spec']> } };
}

const SCRAPED = { 'prometheus.io/scrape': 'true', 'prometheus.io/port': '9090', 'prometheus.io/scheme': 'https' };

const documentsOf = (text: string): string[] => text.split(/^(?=---)/m);

describe('injecting a stream of YAML', () => {
  test('gives workloads the sidecar and leaves all other documents byte by byte', async () => {
    const { text, reports } = await inject(STREAM);
    expect(reports).toEqual([{ title: 'Deployment shop/ui', outcome: 'injected', notes: [] }]);
    const [before, after] = [documentsOf(STREAM), documentsOf(text)];
    expect([after[0], after[1], after[3]]).toEqual([before[0], before[1], before[3]]);
    const { spec } = parse(after[2] ?? '') as Workload;
    expect(spec.template.spec.initContainers?.map(({ name }) => name)).toEqual([
      'heddle-init',
      'istio-proxy',
      'migrate',
    ]);
    expect(spec.template.metadata?.labels?.['service.istio.io/canonical-name']).toBe('ui');
    for (const comment of ['# The front.', '# by which the Service', '# before all', '# pinned']) {
      expect(after[2]).toContain(comment);
    }
  });

  test('comes back to the text of before', async () => {
    const { text } = await uninject((await inject(STREAM)).text);
    expect(text).toBe(STREAM.replace('ui:1   # pinned', 'ui:1 # pinned'));
  });

  test('changes nothing the second time', async () => {
    const once = await inject(STREAM);
    const twice = await inject(once.text);
    expect(twice.text).toBe(once.text);
    expect(twice.reports[0]?.outcome).toBe('unchanged');
  });

  test.each([
    ['v1', 'Pod', (pod: object) => pod],
    ['v1', 'ReplicationController', (pod: object) => ({ spec: { template: pod } })],
    ['apps/v1', 'StatefulSet', (pod: object) => ({ spec: { template: pod } })],
    ['apps/v1', 'DaemonSet', (pod: object) => ({ spec: { template: pod } })],
    ['apps/v1', 'ReplicaSet', (pod: object) => ({ spec: { template: pod } })],
    ['batch/v1', 'Job', (pod: object) => ({ spec: { template: pod } })],
    ['batch/v1', 'CronJob', (pod: object) => ({ spec: { jobTemplate: { spec: { template: pod } } } })],
  ])('knows %s %s, alone, in a List and as JSON', async (apiVersion, kind, around) => {
    const object = { apiVersion, kind, ...around({ spec: { containers: [{ name: 'a' }] } }) };
    const named = { ...object, metadata: { name: 'a' } };
    const list = { apiVersion: 'v1', kind: 'List', items: [{ apiVersion: 'v1', kind: 'Secret' }, named, named] };
    for (const text of [stringify(named), JSON.stringify(named, undefined, 4), stringify(list), JSON.stringify(list)]) {
      const injected = await inject(text);
      expect(injected.reports.every(({ outcome }) => outcome === 'injected')).toBe(true);
      expect(injected.text.match(/"?name"?: *"?istio-proxy/g)).toHaveLength(injected.reports.length);
      const back = await uninject(injected.text);
      expect(parse(back.text)).toEqual(parse(text));
      if (text.startsWith('{')) expect(() => JSON.parse(injected.text) as unknown).not.toThrow();
    }
  });

  test.each([
    [
      'a workload that opted out',
      'metadata: {labels: {heddle.dev/inject: "false"}}',
      'metadata.labels[heddle.dev/inject] is "false"',
    ],
    ['one on the network of its node', 'spec: {hostNetwork: true, containers: [{name: a}]}', 'spec.hostNetwork'],
  ])('leaves %s alone and says why', async (_, template, reason) => {
    const spec = template.startsWith('spec') ? '' : ', spec: {containers: [{name: a}]}';
    const text = `apiVersion: apps/v1\nkind: DaemonSet\nmetadata: {name: a}\nspec: {template: {${template}${spec}}}\n`;
    const result = await inject(text);
    expect(result.text).toBe(text);
    expect(result.reports).toEqual([
      { title: 'DaemonSet a', outcome: 'skipped', notes: [expect.stringContaining(reason)] },
    ]);
  });

  test('refuses what cannot get a sidecar, and names object and field', async () => {
    const port = 'spec: {template: {spec: {containers: [{name: a, ports: [{containerPort: 15001}]}]}}}';
    const result = await inject(`apiVersion: apps/v1\nkind: Deployment\nmetadata: {name: a}\n${port}\n`);
    expect(result.reports).toEqual([
      {
        title: 'Deployment a',
        outcome: 'refused',
        notes: [
          expect.stringMatching(/^spec\.template\.spec\.containers\[0\]\.ports\[0\]\.containerPort: 15001 is taken/),
        ],
      },
    ]);
  });

  test('names file and line of what is no YAML', async () => {
    await expect(inject('a: b\n---\nc: d\ne: [\n')).rejects.toThrow(/^a\.yaml:[45] is no YAML: /);
  });

  test('injects what stands behind an anchor, and where it is used', async () => {
    const text = `apiVersion: apps/v1
kind: Deployment
metadata: { name: a, labels: &labels { app: a } }
spec:
  template:
    metadata: { labels: *labels }
    spec: { containers: [{ name: a }] }
`;
    const { text: injected } = await inject(text);
    const { metadata, spec } = parse(injected) as Workload & { metadata: object };
    expect(metadata).toEqual({ name: 'a', labels: { app: 'a' } });
    expect(spec.template.metadata?.labels).toMatchObject({ app: 'a', 'security.istio.io/tlsMode': 'istio' });
    expect(parse((await uninject(injected)).text)).toEqual(parse(text));
  });
});

describe('any workload', () => {
  const label = fc.stringMatching(/^[a-z][a-z0-9]{0,5}$/);
  const port = fc.oneof(fc.integer({ min: 1, max: 14_000 }), fc.constantFrom('80', 'web', 'none'));
  const http = fc.record(
    {
      port,
      path: fc.constantFrom('/', 'health', '/a?b=c#d', ''),
      scheme: fc.constantFrom('HTTP', 'HTTPS'),
      host: label,
    },
    { requiredKeys: ['port'] },
  );
  const target = fc.oneof(
    fc.record({ httpGet: http, periodSeconds: fc.integer({ min: 1, max: 9 }) }, { requiredKeys: ['httpGet'] }),
    fc.record({ tcpSocket: fc.record({ port }) }),
    fc.record({ grpc: fc.record({ port: fc.integer({ min: 1, max: 5 }) }) }),
    fc.record({ exec: fc.record({ command: fc.array(fc.string()) }) }),
  );
  const hooks = fc.record({ postStart: target, preStop: target }, { requiredKeys: [] });
  const container = fc.record(
    {
      name: label,
      ports: fc.constant([{ name: 'web', containerPort: 8080 }]),
      livenessProbe: target,
      readinessProbe: target,
      env: fc.constant(null),
      startupProbe: target,
      lifecycle: hooks,
    },
    { requiredKeys: ['name'] },
  );
  const containers = fc.uniqueArray(container, { minLength: 1, maxLength: 4, selector: ({ name }) => name });
  const written = fc.dictionary(
    fc.constantFrom('app', 'version', 'security.istio.io/tlsMode', 'service.istio.io/canonical-name'),
    label,
  );
  const annotations = fc.dictionary(fc.constantFrom('x/y', 'heddle.dev/refusal-log', 'prometheus.io/scheme'), label);
  const maybeEmpty = <T>(one: fc.Arbitrary<T>, empty: unknown[]) =>
    fc.oneof(one, fc.constantFrom(...empty)) as fc.Arbitrary<T | null | undefined>;
  const template = fc
    .record(
      {
        all: containers,
        initial: fc.integer({ min: 0, max: 3 }),
        labels: maybeEmpty(written, [null]),
        annotations: maybeEmpty(annotations, [null, SCRAPED]),
        volumes: maybeEmpty(fc.constant([{ name: 'data', emptyDir: {} }]), [null, []]),
        bare: fc.boolean(),
      },
      { requiredKeys: ['all', 'initial', 'bare'] },
    )
    .map(({ all, initial, volumes, bare, ...metadata }) => {
      const first = all.slice(0, Math.min(initial, all.length - 1));
      const spec = { containers: all.slice(first.length), ...(volumes === undefined ? {} : { volumes }) };
      const withInit = first.length > 0 ? { ...spec, initContainers: first } : spec;
      return bare ? { spec: withInit } : { metadata, spec: withInit };
    });
  const deployment = template.map((pod) => ({
    apiVersion: 'apps/v1',
    kind: 'Deployment',
    metadata: { name: 'ordering' },
    spec: { template: pod },
  }));

  test('is after injecting and uninjecting what it was, as an object and as text', async () => {
    await fc.assert(
      fc.asyncProperty(deployment, async (object) => {
        const text = stringify(object, { lineWidth: 0, aliasDuplicateObjects: false });
        const injected = await inject(text);
        expect(injected.reports[0]?.outcome).toBe('injected');
        const back = await uninject(injected.text);
        expect(parse(back.text)).toEqual(parse(text));
      }),
      { numRuns: 40 },
    );
  });

  test('is not changed by the webhook when its pods are made', async () => {
    await fc.assert(
      fc.asyncProperty(deployment, async (object) => {
        const { text } = await inject(stringify(object, { aliasDuplicateObjects: false }));
        const made = (parse(text) as Workload).spec.template;
        const owner = { apiVersion: 'apps/v1', kind: 'ReplicaSet', name: 'ordering-5d9', uid: 'u', controller: true };
        const pod: V1Pod = {
          ...made,
          metadata: {
            ...made.metadata,
            generateName: 'ordering-5d9-',
            ownerReferences: [owner],
            labels: { ...made.metadata?.labels, 'pod-template-hash': '5d9' },
          },
        };
        const again = injectPod(pod, DEFAULT_SETTINGS);
        expect(again.problems).toEqual([]);
        expect(diff(pod, again.pod)).toEqual([]);
      }),
      { numRuns: 40 },
    );
  });

  test.each([false, true])(
    'of a pod that the webhook injected, uninjecting takes out all that is ours, with DNS capture: %s',
    async (dnsCapture) => {
      const probe = { tcpSocket: { port: 'web' }, periodSeconds: 3 };
      const app: V1Container = { name: 'a', ports: [{ name: 'web', containerPort: 80 }], livenessProbe: probe };
      const pod = {
        apiVersion: 'v1',
        kind: 'Pod',
        metadata: { name: 'a', labels: { app: 'a' } },
        spec: { containers: [app] },
      };
      const { pod: injected } = injectPod(pod, { ...DEFAULT_SETTINGS, dnsCapture }, true);
      expect(parse((await uninject(stringify(injected))).text)).toEqual(pod);
    },
  );

  test.each(['enabled', 'disabled'])('that has its own wish for DNS capture keeps it: %s', async (wish) => {
    const annotations = { 'heddle.dev/dns-capture': wish };
    const metadata = { name: 'a', annotations };
    const pod = { apiVersion: 'v1', kind: 'Pod', metadata, spec: { containers: [{ name: 'a' }] } };
    for (const dnsCapture of [false, true]) {
      const { pod: injected } = injectPod(pod, { ...DEFAULT_SETTINGS, dnsCapture });
      expect(parse((await uninject(stringify(injected))).text)).toEqual(pod);
    }
  });
});
