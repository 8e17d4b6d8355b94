import { describe, expect, test } from '@jest/globals';
import type { ProxyState } from '../../api/view/control-plane-view.ts';
import { CONFIG_MAP, MUTATING_WEBHOOK_CONFIGURATION, PEER_AUTHENTICATION, POD } from '../../kube/kinds.ts';
import type { KubeObject } from '../../kube/object.ts';
import type { ResourceKind } from '../../kube/resource-kind.ts';
import { injectPod } from '../../webhook/inject/mutate.ts';
import { DEFAULT_SETTINGS } from '../../webhook/inject/settings.ts';
import { istioBeside, optedIn, podSecurity, trust } from './namespaces.ts';
import { readySidecars, sidecars, sidecarVersions } from './pods.ts';
import { conditions } from './policies.ts';
import { judgeProxies } from './proxies.ts';
import { findings, lines, mesh, namespace } from './testing/cluster.ts';

const shop = namespace('shop', { 'heddle.dev/injection': 'enabled' });
const bundle = (where: string, pem: string): [ResourceKind, KubeObject] => [
  CONFIG_MAP,
  { metadata: { namespace: where, name: 'heddle-trust' }, data: { 'root-cert.pem': pem } } as KubeObject,
];
const container = { name: 'app', image: 'app' };
const plainPod = (name: string, labels = {}) => ({
  metadata: { namespace: 'shop', name, labels },
  spec: { containers: [container] },
});
const meshedPod = (name: string, image = DEFAULT_SETTINGS.proxyImage, ready = true): [ResourceKind, KubeObject] => {
  const { pod } = injectPod(plainPod(name), { ...DEFAULT_SETTINGS, proxyImage: image });
  const initContainerStatuses = [{ name: 'istio-proxy', ready }];
  return [POD, { ...pod, status: { initContainerStatuses } } as KubeObject];
};

describe('namespaces', () => {
  const injector: [ResourceKind, KubeObject] = [
    MUTATING_WEBHOOK_CONFIGURATION,
    { metadata: { name: 'istio-sidecar-injector' } },
  ];

  test('that opted in and are not part of the mesh are named', async () => {
    expect(lines(await findings(optedIn, shop, mesh('')))).toEqual(['ok: 1 namespaces have opted in']);
    const found = await findings(optedIn, shop, mesh('discoverySelectors: [{ matchLabels: { mesh: yes } }]'));
    expect(lines(found)[1]).toMatch(/^warning: namespace shop is not part of the mesh/);
    expect(lines(await findings(optedIn, mesh('')))).toEqual(['skipped: no namespace has opted in']);
  });

  test('that two meshes inject in are wrong', async () => {
    const both = namespace('both', { 'heddle.dev/injection': 'enabled', 'istio-injection': 'enabled' });
    expect(lines(await findings(istioBeside, both, injector))[1]).toBe('failed: both inject in: both');
    expect(lines(await findings(istioBeside, both))).toEqual(['ok: no injector of Istio is there']);
  });

  test('need the roots that all have', async () => {
    const others = ['a', 'b', 'c'].map((name) => namespace(name, { 'istio.io/rev': 'heddle' }));
    expect(lines(await findings(trust, shop, ...others, bundle('a', 'x'), bundle('b', 'x'), bundle('c', 'y')))).toEqual(
      [
        'failed: ConfigMap heddle-trust is missing in: shop',
        'failed: ConfigMap heddle-trust has other roots than elsewhere in: c',
      ],
    );
    expect(lines(await findings(trust, shop, bundle('shop', 'x')))[0]).toMatch(/^ok: /);
  });

  test('that forbid the init container are wrong', async () => {
    const strict = namespace('strict', {
      'heddle.dev/injection': 'enabled',
      'pod-security.kubernetes.io/enforce': 'baseline',
    });
    const [found] = await findings(podSecurity, shop, strict);
    expect(found).toMatchObject({
      level: 'failed',
      next: 'kubectl label namespace strict pod-security.kubernetes.io/enforce=privileged --overwrite',
    });
  });
});

describe('pods', () => {
  test('of before the label are named, those that opted out are not', async () => {
    const out = plainPod('out', { 'heddle.dev/inject': 'false' });
    const all: [ResourceKind, KubeObject][] = [[POD, plainPod('old')], [POD, out], meshedPod('new')];
    expect(lines(await findings(sidecars, shop, ...all))).toEqual(['warning: 1 pods have no sidecar: shop/old']);
    expect(lines(await findings(sidecars, shop, ...all.slice(1)))).toEqual([
      'ok: all pods that should have a sidecar have one: 1',
    ]);
  });

  test('whose sidecar waits, or is of another image, are named', async () => {
    const waiting = meshedPod('waiting', undefined, false);
    expect(lines(await findings(readySidecars, waiting, meshedPod('b')))).toEqual([
      'warning: 1 sidecars are not Ready: shop/waiting',
    ]);
    expect(lines(await findings(sidecarVersions, mesh(''), meshedPod('a', 'envoy:old'), meshedPod('b')))).toEqual([
      'warning: 1 sidecars are not of image envoyproxy/envoy:v1.40.0: shop/a',
    ]);
  });
});

test('objects that are not in force are named with their reason', async () => {
  const policy = (name: string, status: string): [ResourceKind, KubeObject] => [
    PEER_AUTHENTICATION,
    {
      metadata: { namespace: 'shop', name },
      status: { conditions: [{ type: 'Accepted', status, reason: 'Invalid', message: 'spec.x: no' }] },
    } as KubeObject,
  ];
  expect(lines(await findings(conditions, policy('a', 'True'), policy('b', 'False')))).toEqual([
    'warning: PeerAuthentication shop/b: Accepted=False (Invalid): spec.x: no',
  ]);
  expect(lines(await findings(conditions, policy('a', 'True')))).toEqual([
    'ok: 1 objects are in force as they are written',
  ]);
});

test('sidecars that refused something, are behind, or cut off, are named', () => {
  const proxy = (pod: string, state: ProxyState) => ({
    ...{ namespace: 'shop', pod, uid: '', workload: '', node: '', state, types: {}, identity: '', onDemand: false },
    rejections: state === 'rejected' ? [{ type: 'listeners', name: 'x', message: 'no such filter' }] : [],
  });
  const states = ['synced', 'rejected', 'disconnected', 'unknown', 'syncing', 'stale'] as const;
  const proxies = states.map((state, index) => proxy('abcdef'.charAt(index), state));
  expect(lines(judgeProxies({ at: 0, complete: true, proxies }))).toEqual([
    'ok: 2 sidecars have, or are getting, the newest configuration',
    'warning: the sidecar of shop/b refused listeners x: no such filter',
    'warning: 1 sidecars have no stream to the operator: shop/c',
    'warning: 1 sidecars have not had the newest for more than 10 s: shop/f',
    'skipped: of 1 sidecars it is not known: shop/d',
  ]);
});
