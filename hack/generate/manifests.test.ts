import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, test } from '@jest/globals';
import { parseAllDocuments } from 'yaml';
import { CANARY_KIND } from '../../api/canary.ts';
import { SIDE_ANNOTATION } from '../../api/canary-side.ts';
import { CUSTOM_RESOURCES } from '../../api/registry.ts';
import {
  OPERATOR_SERVICE,
  SYSTEM_NAMESPACE,
  TRUST_CONFIG_MAP,
  WEBHOOK_SERVICE,
  WEBHOOK_TLS_SECRET,
} from '../../proxy/names.ts';
import { WEBHOOK_PORT, XDS_PORT } from '../../proxy/ports.ts';

const folder = join(import.meta.dirname, '../../manifests/base/control-plane');

interface Expression {
  readonly key: string;
  readonly operator: string;
  readonly values?: readonly string[];
}

interface Webhook {
  readonly name: string;
  readonly failurePolicy: string;
  readonly sideEffects: string;
  readonly reinvocationPolicy?: string;
  readonly clientConfig: {
    readonly service: { name: string; namespace: string; path: string };
    readonly caBundle?: string;
  };
  readonly rules: readonly { apiGroups: readonly string[]; resources: readonly string[] }[];
  readonly namespaceSelector?: { readonly matchExpressions: readonly Expression[] };
}

interface Rule {
  readonly apiGroups: readonly string[];
  readonly resources: readonly string[];
  readonly resourceNames?: readonly string[];
  readonly verbs: readonly string[];
}

interface Manifest {
  readonly kind: string;
  readonly metadata: { readonly name: string; readonly namespace?: string };
  readonly webhooks?: readonly Webhook[];
  readonly rules?: readonly Rule[];
  readonly spec?: {
    readonly ports?: readonly { port: number; targetPort: string }[];
    readonly template?: { readonly spec: PodSpec };
  };
}

interface PodSpec {
  readonly securityContext: object;
  readonly containers: readonly {
    securityContext: object;
    ports: readonly { name: string; containerPort: number }[];
  }[];
}

const names = (await readdir(folder)).filter((name) => name.endsWith('.yaml') && name !== 'kustomization.yaml');
const texts = await Promise.all(names.map((name) => readFile(join(folder, name), 'utf8')));
const manifests = texts.flatMap((text) => parseAllDocuments(text).map((document) => document.toJS() as Manifest));
const find = (kind: string, name: string): Manifest | undefined =>
  manifests.find((manifest) => manifest.kind === kind && manifest.metadata.name === name);
const injectors = find('MutatingWebhookConfiguration', WEBHOOK_SERVICE)?.webhooks ?? [];
const validators = find('ValidatingWebhookConfiguration', WEBHOOK_SERVICE)?.webhooks ?? [];
const rules = (name: string): readonly Rule[] =>
  manifests
    .filter(({ kind, metadata }) => /Role$/.test(kind) && metadata.name === name)
    .flatMap((role) => role.rules ?? []);

describe('the webhook configurations', () => {
  test('have entries', () => {
    expect(injectors.length).toBeGreaterThan(3);
    expect(validators.length).toBeGreaterThan(3);
  });

  test.each(injectors)('$name reaches no namespace the cluster or Heddle starts from, and fails closed', (webhook) => {
    const excluded = webhook.namespaceSelector?.matchExpressions.find(
      ({ key, operator }) => key === 'kubernetes.io/metadata.name' && operator === 'NotIn',
    );
    expect(excluded?.values).toEqual(
      expect.arrayContaining(['kube-system', 'kube-public', 'kube-node-lease', SYSTEM_NAMESPACE, 'istio-system']),
    );
    expect(webhook).toMatchObject({ failurePolicy: 'Fail', sideEffects: 'None', reinvocationPolicy: 'IfNeeded' });
  });

  test('ask about every custom resource in a namespace, about those of Istio in each kind of namespace', () => {
    for (const { group, kind, plural, owner, scope } of CUSTOM_RESOURCES) {
      const asking = validators.filter(({ rules: asked }) =>
        asked.some(({ apiGroups, resources }) => apiGroups.includes(group) && resources.includes(plural)),
      );
      // Of a kind of the whole cluster there is only what its CRD can say.
      if (scope === 'Cluster') {
        expect(asking).toEqual([]);
        continue;
      }
      const ours = kind === CANARY_KIND ? 'canary.' : 'policy.';
      const isOurs = (name: string) => /^(?:canary|side|policy)\./.test(name);
      const wanted = validators.filter(({ name }) => (owner === 'heddle' ? name.startsWith(ours) : !isOurs(name)));
      expect(asking).toEqual(wanted);
    }
  });

  test.each([...injectors, ...validators])('$name asks our Service and leaves caBundle to the operator', (webhook) => {
    expect(webhook.clientConfig.service).toMatchObject({ name: WEBHOOK_SERVICE, namespace: SYSTEM_NAMESPACE });
    expect(webhook.clientConfig.caBundle).toBeUndefined();
  });

  test('ask about no Service but those that are to be the address of one side of a Canary', () => {
    const asking = validators.filter(({ rules: asked }) =>
      asked.some(({ resources }) => resources.includes('services')),
    );
    const expression = `has(object.metadata.annotations) && '${SIDE_ANNOTATION}' in object.metadata.annotations`;
    expect(asking).toMatchObject([{ failurePolicy: 'Ignore', matchConditions: [{ expression }] }]);
  });

  test("never hold up a user's Istio objects", () => {
    const istio = validators.filter(({ rules }) => rules.some(({ apiGroups }) => !apiGroups.includes('heddle.dev')));
    expect(istio.every(({ failurePolicy }) => failurePolicy === 'Ignore')).toBe(true);
  });
});

describe('the roles', () => {
  test.each([OPERATOR_SERVICE, WEBHOOK_SERVICE])('of %s have no wildcard and no way to more rights', (name) => {
    expect(rules(name).length).toBeGreaterThan(0);
    for (const rule of rules(name)) {
      expect([...rule.apiGroups, ...rule.resources, ...rule.verbs]).not.toContain('*');
      expect(rule.verbs).not.toEqual(expect.arrayContaining([expect.stringMatching(/escalate|bind|impersonate/)]));
    }
  });

  test('let the operator write the trust ConfigMap alone, and no Secret outside its namespace', () => {
    const cluster = find('ClusterRole', OPERATOR_SERVICE)?.rules ?? [];
    const configMaps = cluster.filter(({ resources }) => resources.includes('configmaps'));
    expect(configMaps.map(({ resourceNames }) => resourceNames)).toEqual([[TRUST_CONFIG_MAP]]);
    expect(cluster.some(({ resources }) => resources.includes('secrets'))).toBe(false);
  });

  test('let the webhook read its own certificate alone, and write nothing', () => {
    const secrets = rules(WEBHOOK_SERVICE).filter(({ resources }) => resources.includes('secrets'));
    expect(secrets.map(({ resourceNames }) => resourceNames)).toEqual([[WEBHOOK_TLS_SECRET]]);
    const verbs = rules(WEBHOOK_SERVICE).flatMap((rule) => rule.verbs);
    expect(verbs.filter((verb) => !['get', 'list', 'watch'].includes(verb))).toEqual([]);
  });

  test('let the operator apply the status of every custom resource that has one, and no more', () => {
    for (const { group, plural, status } of CUSTOM_RESOURCES) {
      if (status === undefined) continue;
      const rule = rules(OPERATOR_SERVICE).find(({ resources }) => resources.includes(`${plural}/status`));
      expect(rule).toMatchObject({ apiGroups: [group], verbs: ['patch'] });
    }
  });
});

describe('the Deployments', () => {
  test.each([
    [OPERATOR_SERVICE, XDS_PORT],
    [WEBHOOK_SERVICE, WEBHOOK_PORT],
  ])('%s listens where its Service sends, on %d', (name, port) => {
    const targetPort = find('Service', name)?.spec?.ports?.[0]?.targetPort;
    const ports = find('Deployment', name)?.spec?.template?.spec.containers[0]?.ports ?? [];
    expect(ports).toContainEqual({ name: targetPort, containerPort: port });
  });

  test.each([OPERATOR_SERVICE, WEBHOOK_SERVICE])('%s runs with no rights on its node', (name) => {
    const spec = find('Deployment', name)?.spec?.template?.spec;
    expect(spec?.securityContext).toMatchObject({ runAsNonRoot: true, seccompProfile: { type: 'RuntimeDefault' } });
    expect(spec?.containers.map(({ securityContext }) => securityContext)).toEqual([
      { allowPrivilegeEscalation: false, readOnlyRootFilesystem: true, capabilities: { drop: ['ALL'] } },
    ]);
  });
});
