import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from '@jest/globals';
import { stringify } from 'yaml';
import { readMeshConfig } from '../../api/mesh-config.ts';
import { injectPod } from '../../webhook/inject/mutate.ts';
import { DEFAULT_SETTINGS } from '../../webhook/inject/settings.ts';
import { injectStream } from '../inject/edit-stream.ts';
import { analyze } from './analysis.ts';
import { type ReadFile, readDocuments } from './documents.ts';
import { messageDetails, messageJson, messageLine } from './message.ts';
import { readFiles } from './read-files.ts';
import { readSuppression } from './suppression.ts';

const ROOT = join(import.meta.dirname, '../..');

function analyzeRead({ objects: files, findings }: ReadFile) {
  return analyze({ config: readMeshConfig(''), files, findings, cluster: [], namespace: 'default' });
}

const analyzeText = (text: string) => analyzeRead(readDocuments('a.yaml', text));

const broken = readFileSync(join(import.meta.dirname, 'testdata/broken.yaml'), 'utf8');

/** What is told of the broken file, as code, object and line. */
const EXPECTED = [
  ['IST0122', 'VirtualService shop/routes', 8],
  ['IST0133', 'VirtualService shop/strays', 17],
  ['IST0101', 'VirtualService shop/strays', 22],
  ['IST0131', 'VirtualService shop/strays', 27],
  ['IST0130', 'VirtualService shop/strays', 23],
  ['IST0101', 'VirtualService shop/strays', 26],
  ['IST0112', 'VirtualService shop/strays', 29],
  ['IST0113', 'DestinationRule shop/ordering', 37],
  ['IST0128', 'DestinationRule shop/ordering', 37],
  ['IST0173', 'DestinationRule shop/ordering', 38],
  ['IST0127', 'AuthorizationPolicy shop/nobodys', 52],
  ['IST0134', 'ServiceEntry shop/database', 61],
  ['IST0107', 'Service shop/ordering', 69],
  ['IST0118', 'Service shop/ordering', 72],
  ['IST0116', 'Deployment shop/ordering', 101],
  ['IST0137', 'Deployment shop/ordering', 101],
  ['IST0102', 'Namespace bank', 87],
  ['IST0123', 'Namespace shop', 99],
  ['IST0125', 'Deployment shop/ordering', 109],
  ['IST0108', 'Deployment shop/ordering', 110],
] as const;

test.each(EXPECTED)('%s is told of %s, at line %d', (code, origin, line) => {
  const messages = analyzeText(broken).filter(
    (one) => one.code === code && messageLine(one).includes(`(${origin} a.yaml:`),
  );
  expect(messages.map(({ place }) => place?.line)).toContain(line);
});

test('of a file that is broken nothing else is told, and the worst comes first', () => {
  const messages = analyzeText(broken);
  const codes = new Set<string>(EXPECTED.map(([code]) => code));
  expect(messages.filter(({ code }) => !codes.has(code)).map(messageLine)).toEqual([]);
  const levels = messages.map(({ level }) => level);
  expect(levels).toEqual(
    [...levels].sort((a, b) => ['Error', 'Warning', 'Info'].indexOf(a) - ['Error', 'Warning', 'Info'].indexOf(b)),
  );
});

test('of a healthy mesh nothing is told', () => {
  const healthy = `
apiVersion: v1
kind: Namespace
metadata: { name: shop, labels: { heddle.dev/injection: enabled } }
---
apiVersion: v1
kind: Service
metadata: { name: ordering, namespace: shop }
spec: { selector: { app: ordering }, ports: [{ name: http, port: 80, targetPort: 8080 }] }
---
apiVersion: apps/v1
kind: Deployment
metadata: { name: ordering, namespace: shop }
spec: { template: { metadata: { labels: { app: ordering } }, spec: { containers: [{ name: app, image: shop }] } } }
---
apiVersion: security.istio.io/v1
kind: AuthorizationPolicy
metadata: { name: ordering, namespace: shop }
spec: { selector: { matchLabels: { app: ordering } }, rules: [{ to: [{ operation: { methods: [GET] } }] }] }
`;
  expect(analyzeText(healthy).map(messageLine)).toEqual([]);
});

test.each([
  ['canary', '{ kind: Deployment, name: ordering }', []],
  ['stable', '{ kind: Deployment, name: ordering }', []],
  ['canary', '{ kind: Deployment, name: nobody-knows }', []],
  ['canary', '{ kind: Deployment, name: other }', ['HED0001']],
  ['new', '{ kind: Deployment, name: ordering }', ['IST0125']],
])('a Service as the address of the side %s of a Canary of %s: %j', (side, target, codes) => {
  const deployment = (name: string) => `
apiVersion: apps/v1
kind: Deployment
metadata: { name: ${name} }
spec: { template: { metadata: { labels: { app: ${name} } }, spec: { containers: [{ name: app, image: shop }] } } }
---`;
  const text = `
kind: Service
apiVersion: v1
metadata: { name: ordering-side, annotations: { canary.heddle.dev/side: ${side} } }
spec: { selector: { app: ordering }, ports: [{ name: http, port: 80, targetPort: 8080 }] }
---${deployment('ordering')}${deployment('other')}
apiVersion: heddle.dev/v1alpha1
kind: Canary
metadata: { name: ordering }
spec: { targetRef: ${target}, analysis: { interval: 10s, stepWeight: 10 } }
`;
  expect(analyzeText(text).flatMap(({ code, field }) => (field?.includes('side') ? [code] : []))).toEqual(codes);
});

test('an address of a side that is no Service is told, and one without any Canary', () => {
  const text = `
kind: Deployment
apiVersion: apps/v1
metadata: { name: ordering, annotations: { canary.heddle.dev/side: canary } }
spec: { template: { metadata: { labels: { app: ordering } }, spec: { containers: [{ name: app, image: shop }] } } }
---
kind: Service
apiVersion: v1
metadata: { name: ordering, annotations: { canary.heddle.dev/side: canary } }
spec: { selector: { app: ordering }, ports: [{ name: http, port: 80, targetPort: 8080 }] }
`;
  const told = analyzeText(text).flatMap((one) => (one.field?.includes('side') ? [messageLine(one)] : []));
  expect(told).toEqual([
    expect.stringContaining('[IST0107] (Deployment default/ordering a.yaml:4) Misplaced annotation'),
    expect.stringContaining(
      '[HED0001] (Service default/ordering a.yaml:9) metadata.annotations[canary.heddle.dev/side]',
    ),
  ]);
});

test('what admission refuses of a Telemetry or a PeerAuthentication is told', () => {
  const text = `
apiVersion: telemetry.istio.io/v1
kind: Telemetry
metadata: { name: two }
spec: { tracing: [{ providers: [{ name: a }, { name: b }] }] }
---
apiVersion: security.istio.io/v1
kind: PeerAuthentication
metadata: { name: labels }
spec: { selector: { matchLabels: { "a b": c } }, mtls: { mode: STRICT } }
`;
  expect(analyzeText(text).flatMap((one) => (one.level === 'Error' ? [messageLine(one)] : []))).toEqual([
    expect.stringMatching(
      /^Error \[IST0106\] \(PeerAuthentication default\/labels a.yaml:10\) spec.selector.matchLabels/,
    ),
    expect.stringMatching(
      /^Error \[IST0106\] \(Telemetry default\/two a.yaml:5\) spec.tracing\[0\].providers: must name one/,
    ),
  ]);
});

test.each([
  ['portLevelSettings: [{ port: { number: 90 }, tls: { mode: DISABLE } }]', 'labels: {}', []],
  ['portLevelSettings: [{ port: { number: 80 }, tls: { mode: DISABLE } }]', 'labels: {}', ['IST0113']],
  ['tls: { mode: DISABLE }, portLevelSettings: [{ port: { number: 80 } }]', 'labels: {}', []],
  ['tls: { mode: ISTIO_MUTUAL }, portLevelSettings: [{ port: { number: 80 } }]', 'labels: {}', ['IST0113']],
  ['loadBalancer: { simple: RANDOM }', 'labels: { app: other }, trafficPolicy: { tls: { mode: DISABLE } }', []],
  [
    'loadBalancer: { simple: RANDOM }',
    'labels: { app: ordering }, trafficPolicy: { tls: { mode: DISABLE } }',
    ['IST0113'],
  ],
])(
  'TLS of %s, and of a subset with %s, is held against the ports and pods that it is for: %j',
  (policy, subset, codes) => {
    const text = `
kind: Service
apiVersion: v1
metadata: { name: ordering }
spec: { selector: { app: ordering }, ports: [{ name: http, port: 80, targetPort: 8080 }, { name: http-admin, port: 90, targetPort: 9000 }] }
---
kind: Deployment
apiVersion: apps/v1
metadata: { name: ordering }
spec: { template: { metadata: { labels: { app: ordering } }, spec: { containers: [{ name: app, image: shop }] } } }
---
kind: PeerAuthentication
apiVersion: security.istio.io/v1
metadata: { name: ordering }
spec: { selector: { matchLabels: { app: ordering } }, mtls: { mode: STRICT }, portLevelMtls: { 9000: { mode: DISABLE } } }
---
kind: DestinationRule
apiVersion: networking.istio.io/v1
metadata: { name: ordering }
spec: { host: ordering, trafficPolicy: { ${policy} }, subsets: [{ name: a, ${subset} }] }
`;
    expect(analyzeText(text).flatMap(({ code }) => (code === 'IST0113' ? [code] : []))).toEqual(codes);
  },
);

test.each([
  ['{ workloadSelector: { labels: { app: ui } }, egress: [{ hosts: ["./*"] }] }', 'IST0110'],
  ['{ egress: [{ hosts: ["./workloadSelector.example"] }] }', 'IST0111'],
])('of two Sidecars alike, %s, the younger is told by %s', (spec, code) => {
  const sidecar = (name: string, year: number) => `
kind: Sidecar
apiVersion: networking.istio.io/v1
metadata: { name: ${name}, creationTimestamp: "${year}-01-01T00:00:00Z" }
spec: ${spec}
`;
  const pod = {
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: { name: 'ui', uid: 'a', labels: { app: 'ui' } },
    spec: { containers: [] },
  };
  const { pod: injected } = injectPod(pod, DEFAULT_SETTINGS);
  const messages = analyzeText([sidecar('a', 2024), sidecar('b', 2025), stringify(injected)].join('---\n'));
  expect(messages.filter(({ level }) => level === 'Error').map((one) => [one.code, one.object.name])).toEqual([
    [code, 'b'],
  ]);
});

test('what is no YAML, or no object, is told with its line', () => {
  const text = 'apiVersion: v1\nkind: Service\nmetadata: {name: a\n---\n- a\n---\nname: b\n';
  const told = analyzeText(text).map(({ code, place }) => [code, place?.line]);
  expect(told).toEqual(
    expect.arrayContaining([
      ['HED0005', 5],
      ['HED0005', 7],
    ]),
  );
  expect(told.length).toBeGreaterThan(2);
});

test.each([
  ['', ['IST0101']],
  ['heddle.dev/injection: enabled', ['IST0101']],
  ['heddle.dev/injection: disabled', []],
])('a file without its Namespace is taken for one of the mesh, and one with it by its labels: %j', (label, codes) => {
  const route = `apiVersion: networking.istio.io/v1
kind: VirtualService
metadata: { name: a, namespace: shop }
spec: { hosts: [a], http: [{ route: [{ destination: { host: nothing } }] }] }
`;
  const namespace = `apiVersion: v1
kind: Namespace
metadata: { name: shop, labels: { ${label} } }
---
`;
  const messages = analyzeText(label === '' ? route : namespace + route);
  expect(messages.filter(({ level }) => level === 'Error').map(({ code }) => code)).toEqual(codes);
});

test('Lists are taken apart, and lines are those of their items', () => {
  const list = broken.split('---\n')[0]?.replaceAll(/^/gm, '    ').replace('    apiVersion', '  - apiVersion') ?? '';
  const [message] = analyzeText(`apiVersion: v1\nkind: List\nitems:\n${list}`);
  expect(message).toMatchObject({ code: 'IST0122', place: { line: 11 } });
});

test("JSON has Istio's shape", () => {
  const message = analyzeText(broken).find(({ code }) => code === 'IST0113');
  expect(message && messageJson(message)).toEqual({
    code: 'IST0113',
    documentationUrl: 'https://istio.io/latest/docs/reference/config/analysis/ist0113/',
    level: 'Error',
    message: expect.stringContaining('in conflict with regards to mTLS for host ordering.shop.svc.cluster.local'),
    origin: 'DestinationRule shop/ordering',
    reference: 'a.yaml:37',
  });
  expect(message && messageDetails(message)).toBe(
    'MTLSPolicyConflict, spec.trafficPolicy.tls, https://istio.io/latest/docs/reference/config/analysis/ist0113/',
  );
});

test.each([
  ['IST0102', true],
  ['IST0102=Namespace/bank', true],
  ['IST0102=Namespace/*', true],
  ['IST0102=Namespace bank', true],
  ['IST0102=Namespace/shop', false],
  ['IST0103=Namespace/bank', false],
])('%s leaves a message of namespace bank out: %s', (text, isOut) => {
  const message = analyzeText(broken).find(({ code }) => code === 'IST0102');
  expect(message && readSuppression(text)(message)).toBe(isOut);
});

test('a code that is none is wrong use', () => {
  expect(() => readSuppression('IST9999')).toThrow(expect.objectContaining({ code: 2 }));
});

test('the samples have nothing of level Error', async () => {
  const read = await readFiles([join(ROOT, 'config/samples')]);
  const messages = analyzeRead(read);
  expect(read.objects.length).toBeGreaterThan(40);
  expect(messages.filter(({ level }) => level === 'Error').map(messageLine)).toEqual([]);
});

test('of what injection wrote on a pod nothing is told', async () => {
  const pod = { apiVersion: 'v1', kind: 'Pod', metadata: { name: 'a' }, spec: { containers: [{ name: 'a' }] } };
  const settings = { ...DEFAULT_SETTINGS, dnsCapture: true };
  const { text } = await injectStream(JSON.stringify(pod), 'a.yaml', settings);
  const codes = analyzeText(text).map(({ code }) => code);
  expect(codes).not.toContain('IST0108');
});
