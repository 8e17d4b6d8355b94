import { beforeAll, describe, expect, test } from '@jest/globals';
import { inTree } from '../../hack/mesh/install.ts';
import type { KubectlResult } from '../../hack/mesh/kubectl.ts';
import { testKubectl } from '../e2e/support/cluster.ts';
import { useNamespace } from '../e2e/support/namespace.ts';

const kubectl = testKubectl();
const namespace = useNamespace('rights', {});
const OPERATOR = '--as=system:serviceaccount:heddle-system:heddle-operator';
const WEBHOOK = '--as=system:serviceaccount:heddle-system:heddle-webhook';

beforeAll(async () => {
  for (const file of ['namespace', 'operator-rbac', 'webhook-rbac']) {
    await kubectl.run(['apply', '-f', inTree(`manifests/base/control-plane/${file}.yaml`)]);
  }
}, 60_000);

function applyConfigMap(name: string): Promise<KubectlResult> {
  const object = {
    apiVersion: 'v1',
    kind: 'ConfigMap',
    metadata: { name, namespace: namespace.name },
    data: { a: 'b' },
  };
  const args = ['apply', '--server-side', '--field-manager=rights-test', OPERATOR, '-f', '-'];
  return kubectl.try(args, { input: JSON.stringify(object) });
}

describe('the operator', () => {
  test('makes the trust ConfigMap in any namespace by server-side apply, and no other', async () => {
    expect(await applyConfigMap('heddle-trust')).toMatchObject({ code: 0 });
    expect(await applyConfigMap('other')).toMatchObject({ code: 1, stderr: expect.stringContaining('forbidden') });
  });

  test('lists ConfigMaps of that name across namespaces, and no others', async () => {
    const list = (query: string): Promise<KubectlResult> =>
      kubectl.try(['get', '--raw', `/api/v1/configmaps${query}`, OPERATOR]);
    expect((await list('?fieldSelector=metadata.name%3Dheddle-trust')).code).toBe(0);
    expect((await list('')).code).toBe(1);
  });

  test.each([
    ['create', 'canaries.heddle.dev'],
    ['delete', 'canaries.heddle.dev'],
    ['patch', 'alertproviders.heddle.dev'],
    ['list', 'alertproviders.heddle.dev'],
    ['list', 'metrictemplates.heddle.dev'],
    ['patch', 'metrictemplates.heddle.dev'],
    ['delete', 'trustrotations.heddle.dev'],
    ['patch', 'virtualservices.networking.istio.io'],
    ['get', 'secrets'],
    ['create', 'pods'],
    ['delete', 'deployments.apps'],
    ['delete', 'statefulsets.apps'],
    ['patch', 'controllerrevisions.apps'],
    ['patch', 'replicasets.apps'],
    ['patch', 'services'],
    ['patch', 'horizontalpodautoscalers.autoscaling'],
    ['list', 'poddisruptionbudgets.policy'],
  ])('may not %s %s of users', async (verb, resource) => {
    const { stdout } = await kubectl.try(['auth', 'can-i', verb, resource, '-n', namespace.name, OPERATOR]);
    expect(stdout.trim()).toBe('no');
  });

  test.each([
    // For the annotation of a command alone.
    ['patch', 'canaries.heddle.dev'],
    ['patch', 'canaries.heddle.dev/status'],
    ['get', 'alertproviders.heddle.dev'],
    ['get', 'metrictemplates.heddle.dev'],
    ['patch', 'alertproviders.heddle.dev/status'],
    ['create', 'trustrotations.heddle.dev'],
    ['patch', 'trustrotations.heddle.dev/status'],
    ['patch', 'peerauthentications.security.istio.io/status'],
    ['patch', 'virtualservices.networking.istio.io/status'],
    ['patch', 'serviceentries.networking.istio.io/status'],
    ['watch', 'sidecars.networking.istio.io'],
    ['patch', 'pods/status'],
    // Those that a StatefulSet waits for in vain.
    ['delete', 'pods'],
    // A worker's that was given up.
    ['patch', 'replicasets.apps/scale'],
    ['patch', 'deployments.apps'],
    ['patch', 'statefulsets.apps'],
    ['patch', 'daemonsets.apps'],
    ['watch', 'controllerrevisions.apps'],
    ['watch', 'horizontalpodautoscalers.autoscaling'],
    ['watch', 'endpointslices.discovery.k8s.io'],
    ['create', 'events.events.k8s.io'],
  ])('may %s %s of users', async (verb, resource) => {
    const [kind = '', subresource] = resource.split('/');
    const part = subresource === undefined ? [] : [`--subresource=${subresource}`];
    const { stdout } = await kubectl.try(['auth', 'can-i', verb, kind, ...part, '-n', namespace.name, OPERATOR]);
    expect(stdout.trim()).toBe('yes');
  });
});

describe('the webhook', () => {
  test('reads its own Secret and no other', async () => {
    const canGet = async (name: string): Promise<string> =>
      (await kubectl.try(['auth', 'can-i', 'get', `secrets/${name}`, '-n', 'heddle-system', WEBHOOK])).stdout.trim();
    expect([await canGet('heddle-webhook-tls'), await canGet('heddle-ca')]).toEqual(['yes', 'no']);
  });
});
