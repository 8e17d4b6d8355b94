import { describe, expect, test } from '@jest/globals';
import type { KubeConfig } from '@kubernetes/client-node';
import { DEPLOYMENT, NAMESPACE, POD } from '../../kube/kinds.ts';
import type { KubeApi } from '../../kube/kube-api.ts';
import { KubeConnectionError, KubeError } from '../../kube/kube-error.ts';
import type { KubeObject } from '../../kube/object.ts';
import type { ResourceKind } from '../../kube/resource-kind.ts';
import { MemoryApi } from '../../kube/testing/memory-api.ts';
import { kindOf } from '../install/manifest-object.ts';
import { readManifests } from '../install/manifests.ts';
import { judgeExpiry } from './certificates.ts';
import type { Check } from './check.ts';
import { CheckContext } from './context.ts';
import { deployments, installed, judgeLease, settings, versions } from './control-plane.ts';
import { istioDefinitions, ownDefinitions } from './definitions.ts';
import { formatResults, resultsAsJson } from './format.ts';
import { apiVersion, nodeClocks } from './kubernetes.ts';
import { isWell, runChecks } from './run-checks.ts';
import { findings, lines, mesh } from './testing/cluster.ts';
import { configurations, judgeConfiguration } from './webhook.ts';

const NOW = Date.parse('2026-01-10T00:00:00Z');
const manifests = await readManifests();

describe('checks', () => {
  const check = (run: Check['run']): Check => ({ category: 'A', title: 'a title', run });
  const context = new CheckContext({ api: {} as KubeApi, config: {} as KubeConfig });

  test('that may not look say so, and hold up no other', async () => {
    const forbidden = check(() => Promise.reject(new KubeError(403, 'Forbidden', 'may not list pods')));
    const broken = check(() => Promise.reject(new Error('mesh settings: trustDomain: must be a DNS name')));
    const fine = check(() => Promise.resolve([{ level: 'ok', message: 'fine' }]));
    const results = await runChecks([fine, forbidden, broken, fine], context);
    expect(lines(results.flatMap((result) => result.findings))).toEqual([
      'ok: fine',
      "skipped: a title: can't be seen: may not list pods",
      'failed: a title: mesh settings: trustDomain: must be a DNS name',
      'ok: fine',
    ]);
    expect(isWell(results)).toBe(false);
    expect(resultsAsJson(results)).toMatchObject({
      success: false,
      findings: [{ category: 'A', level: 'ok' }, {}, {}, {}],
    });
    const text = formatResults(results);
    expect(text).toMatch(/^A\n✓ fine\n- a title.*\n {2}next: ask for the right to see it\n✗ /);
    expect(text).toMatch(/\n\n1 of 4 are wrong, 1 not known\.$/);
    // With whose findings they are.
    expect(formatResults(results, true)).toMatch(
      /^A\n✓ fine\n {2}check: a title\n- a title.*\n {2}next: .*\n {2}check: a title\n/,
    );
  });

  test('end where nobody answers', async () => {
    const gone = check(() => Promise.reject(new KubeConnectionError('ECONNREFUSED', 'refused')));
    await expect(runChecks([gone], context)).rejects.toThrow('refused');
  });
});

test('without an installation nothing else is looked at', async () => {
  const api = new MemoryApi();
  const context = new CheckContext({ api: api as unknown as KubeApi, config: {} as KubeConfig });
  const results = await runChecks([installed, ...deployments], context);
  expect(lines(results.flatMap((result) => result.findings))).toEqual([
    'failed: Heddle is not installed: there is no namespace heddle-system',
  ]);
  await api.create(NAMESPACE, { metadata: { name: 'heddle-system' } });
  expect(await runChecks([installed, ...deployments], context)).toHaveLength(3);
});

describe('Kubernetes', () => {
  test.each([
    ['29', 'failed'],
    ['30+', 'ok'],
    ['36', 'ok'],
  ])('1.%s is %s', async (minor, level) => {
    const api = {
      raw: () => Promise.resolve({ gitVersion: `v1.${minor}.0`, major: '1', minor }),
    } as unknown as KubeApi;
    const [found] = await apiVersion.run(new CheckContext({ api, config: {} as KubeConfig }));
    expect(found?.level).toBe(level);
  });

  test.each([
    [-5, true, 'ok: the clocks of 1 nodes agree'],
    [60, true, 'warning: clocks of nodes are off: a (60 s ahead)'],
    [-300, true, 'warning: clocks of nodes are off: a (300 s behind)'],
    // Its kubelet is silent, which says nothing of its clock.
    [-300, false, 'ok: '],
  ])('a node that writes a time of %d s and is Ready: %s', (seconds, ready, expected) => {
    const node = {
      metadata: { name: 'a' },
      status: { conditions: [{ type: 'Ready', status: ready ? 'True' : 'Unknown' }] },
    };
    const lease = { metadata: { name: 'a' }, spec: { renewTime: new Date(NOW + seconds * 1000).toISOString() } };
    expect(lines(nodeClocks([node], [lease], NOW))[0]).toContain(expected);
  });
});

describe('definitions', () => {
  const own = manifests.base.filter(({ kind }) => kind === 'CustomResourceDefinition');
  const there = [...own, ...manifests.istioDefinitions].map((object): [ResourceKind, KubeObject] => [
    kindOf(object),
    object,
  ]);

  test('that are all there are well', async () => {
    expect(lines(await findings(ownDefinitions, ...there))).toEqual([
      `ok: ${own.length} definitions of Heddle are there, and of this version`,
    ]);
    expect(lines(await findings(istioDefinitions, ...there))).toEqual([
      `ok: ${manifests.istioDefinitions.length} of Istio's definitions are there`,
    ]);
  });

  test('that are missing, or of another version, are named', async () => {
    const [kind, first] = there[0] as [ResourceKind, KubeObject & { spec: { names: object } }];
    const other = { ...first, spec: { ...first.spec, names: {} } };
    expect(lines(await findings(ownDefinitions, [kind, other], ...there.slice(1)))).toEqual([
      `warning: definitions are of another version of Heddle: ${first.metadata?.name}`,
    ]);
    expect(lines(await findings(ownDefinitions, ...there.slice(1)))).toEqual([
      `failed: definitions are missing: ${first.metadata?.name}`,
    ]);
  });
});

describe('the control plane', () => {
  const deployment = (name: string, replicas: number, available: number, labels = {}): [ResourceKind, KubeObject] => [
    DEPLOYMENT,
    {
      metadata: { namespace: 'heddle-system', name, labels },
      spec: { replicas, template: { spec: { containers: [{ image: name }] } } },
      status: { updatedReplicas: replicas, replicas, availableReplicas: available },
    } as KubeObject,
  ];

  test('that lacks pods says which, and why', async () => {
    const labels = { 'app.kubernetes.io/name': 'heddle-webhook' };
    const waiting = { reason: 'CrashLoopBackOff', message: '' };
    const pod = {
      metadata: { namespace: 'heddle-system', name: 'w', labels },
      status: {
        containerStatuses: [
          { name: 'webhook', restartCount: 7, state: { waiting }, lastState: { terminated: { exitCode: 3 } } },
        ],
      },
    };
    const api = new MemoryApi();
    for (const [kind, object] of [deployment('heddle-webhook', 2, 1), [POD, pod] as const])
      await api.create(kind, object);
    for (const looked of [undefined, 'shop']) {
      const context = new CheckContext({ api: api as unknown as KubeApi, config: {} as KubeConfig }, looked);
      expect(lines(await (deployments[1] as Check).run(context))).toEqual([
        'failed: heddle-webhook: 1 of 2 pods are available: pod w: CrashLoopBackOff of container webhook: it ended with 3',
      ]);
    }
    expect(lines(await findings(deployments[0] as Check))).toEqual(['failed: Deployment heddle-operator is not there']);
  });

  test('with one replica of the webhook is to be looked at, and with two images', async () => {
    expect(lines(await findings(deployments[1] as Check, deployment('heddle-webhook', 1, 1)))).toEqual([
      'ok: heddle-webhook: 1 of 1 pods are available',
      'warning: one replica of the webhook is too few: while it is away no pod of the mesh can be made',
    ]);
    const label = { 'app.kubernetes.io/version': '9.9.9' };
    const both = [deployment('heddle-operator', 1, 1, label), deployment('heddle-webhook', 2, 2, label)];
    expect(lines(await findings(versions, ...both))).toEqual([
      'warning: operator and webhook are of different images: heddle-operator, heddle-webhook',
      expect.stringMatching(/^warning: Heddle 9.9.9 is installed, and this program is of /),
    ]);
  });

  test('has a leader that renews its lease', () => {
    const lease = (seconds: number) => ({
      metadata: {},
      spec: { holderIdentity: 'a', renewTime: new Date(NOW - seconds * 1000).toISOString(), leaseDurationSeconds: 15 },
    });
    expect(judgeLease(lease(2), NOW).message).toBe('a leads');
    expect(judgeLease(lease(45), NOW)).toMatchObject({
      level: 'failed',
      message: 'a leads, but has not renewed that for 45 s',
    });
    expect(judgeLease(undefined, NOW).level).toBe('failed');
  });

  test('has settings that can be read', async () => {
    expect(lines(await findings(settings, mesh('trustDomain: Shop')))[0]).toMatch(
      /^failed: .*trustDomain: must be a DNS name/,
    );
    expect(lines(await findings(settings, mesh('')))[0]).toMatch(/^ok: /);
  });
});

describe('the webhook configurations', () => {
  const shipped = manifests.base.filter(({ kind }) => kind.endsWith('WebhookConfiguration'));

  test('without a caBundle, an entry or themselves are wrong', async () => {
    const objects = shipped.map((object): [ResourceKind, KubeObject] => [kindOf(object), object]);
    expect(lines(await findings(configurations, ...objects))[0]).toMatch(
      /^failed: MutatingWebhookConfiguration heddle-webhook has no caBundle: namespace.inject.heddle.dev, .* and 4 more$/,
    );
    expect(lines(await findings(configurations))).toHaveLength(2);
    const webhooks = [
      { name: 'a', failurePolicy: 'Ignore', clientConfig: { caBundle: 'x' } },
      { name: 'c', clientConfig: { caBundle: 'x' } },
    ];
    const wanted = {
      webhooks: [
        { name: 'a', failurePolicy: 'Fail', clientConfig: {} },
        { name: 'b', clientConfig: {} },
      ],
    };
    expect(lines(judgeConfiguration('K', { webhooks }, wanted))).toEqual([
      'failed: K heddle-webhook lacks b',
      'warning: a has failurePolicy Ignore: while the webhook is away pods are made outside of the mesh',
    ]);
  });
});

describe('certificates', () => {
  const certificate = (name: string, from: string, to: string) => ({
    name,
    subject: 'CN=a',
    notBefore: `2026-01-${from}T00:00:00Z`,
    notAfter: `2026-01-${to}T00:00:00Z`,
    source: 'Secret a/b',
  });
  test.each([
    ['WEBHOOK', '01', '09', 'failed: WEBHOOK (Secret a/b) expired 24 h ago'],
    ['WEBHOOK', '01', '12', 'warning: WEBHOOK (Secret a/b) expires in 2 d, and was not renewed'],
    ['ROOT', '01', '13', 'ok: ROOT (Secret a/b) expires in 3 d'],
    ['ROOT', '11', '13', 'failed: ROOT (Secret a/b) is valid from 2026-01-11T00:00:00Z on only'],
    ['WEBHOOK', '09', '20', 'ok: WEBHOOK (Secret a/b) expires in 10 d'],
  ])('%s from the %s. to the %s.', (name, from, to, expected) => {
    expect(lines([judgeExpiry(certificate(name, from, to), NOW)])).toEqual([expected]);
  });
});
