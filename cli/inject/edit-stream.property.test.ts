import { describe, expect, test } from '@jest/globals';
import type { V1Pod } from '@kubernetes/client-node';
import fc from 'fast-check';
import { parse, stringify } from 'yaml';
import { injectPod } from '../../webhook/inject/mutate.ts';
import { diff } from '../../webhook/inject/patch.ts';
import { DEFAULT_SETTINGS } from '../../webhook/inject/settings.ts';
import { injectStream, uninjectStream } from './edit-stream.ts';

const inject = (text: string) => injectStream(text, 'a.yaml', DEFAULT_SETTINGS);
const uninject = (text: string) => uninjectStream(text, 'a.yaml');

interface Workload {
  readonly spec: { readonly template: V1Pod & { spec: NonNullable<V1Pod['spec']> } };
}

const SCRAPED = { 'prometheus.io/scrape': 'true', 'prometheus.io/port': '9090', 'prometheus.io/scheme': 'https' };

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
});
