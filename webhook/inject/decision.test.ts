import { describe, expect, test } from '@jest/globals';
import type { V1Pod } from '@kubernetes/client-node';
import { decideInjection, isInjectionNamespace } from './decision.ts';

type Labels = Record<string, string>;
interface PodInput {
  labels?: Labels;
  annotations?: Labels;
  spec?: Partial<NonNullable<V1Pod['spec']>>;
}

const pod = ({ labels = {}, annotations = {}, spec = {} }: PodInput = {}): V1Pod => ({
  metadata: { name: 'p', labels, annotations },
  spec: { containers: [{ name: 'app' }], ...spec },
});
const decide = (input: PodInput, labels: Labels, istioInstalled = false, name = 'shop') => {
  const decision = decideInjection(pod(input), { name, labels, istioInstalled });
  return decision.verdict === 'skip' ? decision.reason : decision.verdict;
};

const HEDDLE = { 'heddle.dev/injection': 'enabled' };
const REVISION = { 'istio.io/rev': 'heddle' };
const ISTIO = { 'istio-injection': 'enabled' };
const OFF = { 'heddle.dev/injection': 'disabled' };

describe('isInjectionNamespace', () => {
  test.each([
    ['heddle.dev/injection=enabled', HEDDLE, false, true],
    ['heddle.dev/injection=enabled beside Istio', HEDDLE, true, true],
    ['istio.io/rev=heddle', REVISION, true, true],
    ['istio-injection=enabled without Istio', ISTIO, false, true],
    ['istio-injection=enabled beside Istio', ISTIO, true, false],
    ['istio.io/rev of somebody else', { ...ISTIO, 'istio.io/rev': 'canary' }, false, false],
    ['heddle.dev/injection=disabled over the others', { ...OFF, ...ISTIO, ...REVISION }, false, false],
    ['no label', {}, false, false],
  ])('judges %s', (_, labels, istioInstalled, expected) => {
    expect(isInjectionNamespace({ labels, istioInstalled })).toBe(expected);
  });
});

describe('decideInjection', () => {
  test.each<[string, PodInput, Labels, string]>([
    ['injects where the namespace opted in', {}, HEDDLE, 'inject'],
    ['leaves pods of other namespaces alone', {}, {}, 'NotSelected'],
    ['lets a pod opt out', { labels: { 'sidecar.istio.io/inject': 'false' } }, HEDDLE, 'PodOptedOut'],
    [
      'lets a pod opt out by annotation',
      { annotations: { 'sidecar.istio.io/inject': 'false' } },
      HEDDLE,
      'PodOptedOut',
    ],
    ['lets a pod opt in', { labels: { 'heddle.dev/inject': 'true' } }, {}, 'inject'],
    ['lets a pod opt in with the name of Istio', { labels: { 'sidecar.istio.io/inject': 'true' } }, {}, 'inject'],
    ['lets a pod opt in where the namespace opted out', { labels: { 'heddle.dev/inject': 'true' } }, OFF, 'inject'],
    [
      'takes the label over the annotation',
      { labels: { 'sidecar.istio.io/inject': 'true' }, annotations: { 'sidecar.istio.io/inject': 'false' } },
      {},
      'inject',
    ],
    [
      'takes our name over that of Istio',
      { labels: { 'heddle.dev/inject': 'false', 'sidecar.istio.io/inject': 'true' } },
      HEDDLE,
      'PodOptedOut',
    ],
    ['refuses what is neither true nor false', { labels: { 'heddle.dev/inject': 'perhaps' } }, {}, 'refuse'],
    ['skips pods on the network of the node', { spec: { hostNetwork: true } }, HEDDLE, 'HostNetwork'],
    ['skips Windows pods', { spec: { os: { name: 'windows' } } }, HEDDLE, 'Windows'],
    ['skips mirror pods', { annotations: { 'kubernetes.io/config.mirror': 'x' } }, HEDDLE, 'MirrorPod'],
    [
      'skips pods with a sidecar of somebody else',
      { spec: { containers: [{ name: 'istio-proxy' }] } },
      HEDDLE,
      'ForeignSidecar',
    ],
    [
      'skips native sidecars of somebody else',
      { spec: { initContainers: [{ name: 'istio-proxy' }] } },
      HEDDLE,
      'ForeignSidecar',
    ],
  ])('%s', (_, input, labels, expected) => {
    expect(decide(input, labels)).toBe(expected);
  });

  test.each(['kube-system', 'kube-public', 'kube-node-lease', 'heddle-system'])('never injects %s', (name) => {
    expect(decide({ labels: { 'heddle.dev/inject': 'true' } }, HEDDLE, false, name)).toBe('SystemNamespace');
  });

  test.each<[string, PodInput, Labels, string]>([
    [
      'the label of Istio on a pod of another namespace',
      { labels: { 'sidecar.istio.io/inject': 'true' } },
      {},
      'NotSelected',
    ],
    ['a namespace of Istio', {}, ISTIO, 'IstioNamespace'],
    ['an odd value that is not for us', { labels: { 'sidecar.istio.io/inject': 'perhaps' } }, {}, 'NotSelected'],
  ])('leaves to an installed Istio %s', (_, input, labels, expected) => {
    expect(decide(input, labels, true)).toBe(expected);
  });

  test('takes a pod that names our revision even beside Istio', () => {
    expect(decide({ labels: { 'sidecar.istio.io/inject': 'true', 'istio.io/rev': 'heddle' } }, {}, true)).toBe(
      'inject',
    );
  });

  test('refuses with the field, the value and what is expected', () => {
    const decision = decideInjection(pod({ annotations: { 'heddle.dev/inject': 'x' } }), {
      name: 'shop',
      labels: {},
      istioInstalled: false,
    });
    expect(decision).toEqual({
      verdict: 'refuse',
      message: 'metadata.annotations[heddle.dev/inject]: "x" must be "true" or "false"',
    });
  });
});
