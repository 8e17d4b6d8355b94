import { describe, expect, test } from '@jest/globals';
import type { V1Pod } from '@kubernetes/client-node';
import { pod } from '../testing/pod.ts';
import { admitPod } from './admission.ts';
import { DEFAULT_SETTINGS } from './settings.ts';

describe('admitPod', () => {
  const namespace = { name: 'shop', labels: { 'heddle.dev/injection': 'enabled' }, istioInstalled: false };
  const context = { settings: DEFAULT_SETTINGS, namespace, discovered: true, isGated: () => false };

  test('refuses in a sentence that names the pod, though it has no name yet', async () => {
    const { refusal } = await admitPod(
      pod({ securityContext: { runAsUser: 1337 } }, { generateName: 'app-' }),
      context,
    );
    expect(refusal).toMatch(/^pod shop\/app-\* cannot get a sidecar: spec.securityContext.runAsUser: 1337/);
  });

  test('leaves pods alone in a namespace that is not part of the mesh, though it opted in, and warns', async () => {
    const name = 'n'.repeat(63);
    const undiscovered = { ...context, namespace: { ...namespace, name }, discovered: false };
    const { outcome, reason, patch, warnings } = await admitPod(pod(), undiscovered);
    expect({ outcome, reason, patch }).toEqual({ outcome: 'skipped', reason: 'NotDiscovered', patch: [] });
    expect(warnings).toEqual([expect.stringMatching(/^no sidecar is injected: namespace n+ .*discoverySelectors/)]);
    // API servers cut longer ones.
    expect(warnings[0]?.length).toBeLessThan(256);
  });

  test('says nothing there of pods that would get no sidecar anyway', async () => {
    const outcome = await admitPod(pod({ hostNetwork: true }), { ...context, discovered: false });
    expect(outcome).toMatchObject({ reason: 'HostNetwork', warnings: [] });
  });

  test.each(['baseline', 'restricted'])('warns where PodSecurity is %s, and says what to do', async (level) => {
    const labels = { ...namespace.labels, 'pod-security.kubernetes.io/enforce': level };
    const { warnings } = await admitPod(pod(), { ...context, namespace: { ...namespace, labels } });
    expect(warnings).toEqual([expect.stringContaining('pod-security.kubernetes.io/enforce=privileged')]);
    expect(warnings[0]?.length).toBeLessThanOrEqual(256);
  });

  test('warns of a pod that cannot resolve the operator', async () => {
    expect((await admitPod(pod({ dnsPolicy: 'Default' }), context)).warnings).toEqual([
      expect.stringContaining('use ClusterFirst'),
    ]);
    const dnsConfig = { nameservers: ['10.96.0.10'] };
    expect((await admitPod(pod({ dnsPolicy: 'Default', dnsConfig }), context)).warnings).toEqual([]);
  });

  test('warns that settings in the form of Istio are not read, and what to write for DNS capture', async () => {
    const warningsFor = async (config: string) =>
      (await admitPod(pod({}, { annotations: { 'proxy.istio.io/config': config } }), context)).warnings;
    const field = 'metadata.annotations[proxy.istio.io/config]';
    expect(await warningsFor('concurrency: 1')).toEqual([`${field}: is not read`]);
    expect(await warningsFor('proxyMetadata: {ISTIO_META_DNS_CAPTURE: "true"}')).toEqual([
      `${field}: is not read; for DNS capture write heddle.dev/dns-capture: enabled`,
    ]);
  });

  test('asks about the gate only for pods that get a sidecar', async () => {
    const asked: string[] = [];
    const isGated = (_: V1Pod, name: string) => asked.push(name) > 0;
    await admitPod(pod({ hostNetwork: true }), { ...context, isGated });
    expect(asked).toEqual([]);
    expect((await admitPod(pod(), { ...context, isGated })).patch).toContainEqual(
      expect.objectContaining({ path: '/spec/readinessGates' }),
    );
  });
});
