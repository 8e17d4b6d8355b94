import { execFile } from 'node:child_process';
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { promisify } from 'node:util';
import type { Registry } from '@bufbuild/protobuf';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import type { V1Pod } from '@kubernetes/client-node';
import { parseAllDocuments, stringify } from 'yaml';
import { envoyBinary } from '../../hack/envoy/binary.ts';
import { buildSnapshot } from '../mesh/mesh-builder.ts';
import { type MeshObject, meshObject } from '../mesh/mesh-object.ts';
import { CLUSTER_TYPE, ENDPOINT_TYPE, LISTENER_TYPE, type ProxyIdentity, ROUTE_TYPE } from './resource.ts';
import { envoyRegistry } from './testing/envoy-registry.ts';
import { deltaBetween, SETTINGS } from './testing/mesh-fixture.ts';
import { resourceJson } from './testing/resource-json.ts';
import { buildStaticBootstrap } from './testing/static-bootstrap.ts';
import { testSecrets } from './testing/test-certificates.ts';
import { XdsCache } from './xds-cache.ts';

/**
 * `NAME.in.yaml` holds Kubernetes objects; `NAME.clusters.yaml` and so on what the first pod in it is sent. `UPDATE_GOLDEN=1` writes them
 * anew, and removes those whose input is gone.
 */
const FOLDER = join(import.meta.dirname, 'testdata');
const UPDATE = process.env.UPDATE_GOLDEN === '1';
const PARTS: readonly (readonly [string, string])[] = [
  ['clusters', CLUSTER_TYPE],
  ['endpoints', ENDPOINT_TYPE],
  ['listeners', LISTENER_TYPE],
  ['routes', ROUTE_TYPE],
];
const CASES = readdirSync(FOLDER)
  .filter((file) => file.endsWith('.in.yaml'))
  .map((file) => basename(file, '.in.yaml'));

interface Case {
  readonly cache: XdsCache;
  readonly proxy: ProxyIdentity;
}

function loadCase(name: string): Case {
  const objects = parseAllDocuments(readFileSync(join(FOLDER, `${name}.in.yaml`), 'utf8'))
    .map((document) => meshObject(document.toJS() as { kind?: string }))
    .filter((object): object is MeshObject => object !== undefined);
  const first = objects.find((object) => object.kind === 'Pod')?.object as V1Pod | undefined;
  if (first?.metadata?.uid === undefined) throw new Error(`${name}.in.yaml needs a pod with a uid`);
  const snapshot = buildSnapshot(SETTINGS, objects);
  const cache = new XdsCache();
  cache.update(snapshot, deltaBetween(undefined, snapshot));
  const { uid, name: podName = '', namespace = '' } = first.metadata;
  return { cache, proxy: { uid, podName, namespace, serviceAccount: first.spec?.serviceAccountName ?? 'default' } };
}

function renderPart({ cache, proxy }: Case, typeUrl: string, registry: Registry): string {
  const resources = [...cache.wildcard(proxy, typeUrl)].sort(([a], [b]) => (a < b ? -1 : 1));
  const documents = resources.map(([, resource]) => stringify(resourceJson(resource, registry), { lineWidth: 0 }));
  return documents.join('---\n');
}

let registry: Registry;
let directory: string;

beforeAll(async () => {
  registry = await envoyRegistry();
  directory = mkdtempSync(join(tmpdir(), 'golden-'));
});
afterAll(() => rmSync(directory, { recursive: true, force: true }));

describe.each(CASES)('the golden case %s', (name) => {
  test.each(PARTS)('gives the expected %s', (part, typeUrl) => {
    const file = join(FOLDER, `${name}.${part}.yaml`);
    const rendered = renderPart(loadCase(name), typeUrl, registry);
    if (UPDATE) writeFileSync(file, rendered);
    expect(rendered).toBe(readFileSync(file, 'utf8'));
  });

  test('is accepted by Envoy', async () => {
    const { cache, proxy } = loadCase(name);
    const secrets = await testSecrets('spiffe://cluster.local/ns/shop/sa/default');
    const file = join(directory, `${name}.json`);
    writeFileSync(file, JSON.stringify(buildStaticBootstrap(cache, proxy, registry, secrets)));
    const arguments_ = ['--mode', 'validate', '--disable-hot-restart', '-l', 'error', '-c', file];
    const { stdout } = await promisify(execFile)(await envoyBinary(), arguments_);
    expect(stdout).toContain('OK');
  }, 60_000);
});

test('every golden file has its input', () => {
  const expected = new Set(
    CASES.flatMap((name) => ['in', ...PARTS.map(([part]) => part)].map((part) => `${name}.${part}.yaml`)),
  );
  const orphans = readdirSync(FOLDER).filter((file) => !expected.has(file));
  if (UPDATE) for (const orphan of orphans) rmSync(join(FOLDER, orphan));
  expect(UPDATE ? [] : orphans).toEqual([]);
});
