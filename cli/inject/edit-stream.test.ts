import { describe, expect, test } from '@jest/globals';
import type { V1Container, V1Pod } from '@kubernetes/client-node';
import { parse, stringify } from 'yaml';
import { injectPod } from '../../webhook/inject/mutate.ts';
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
