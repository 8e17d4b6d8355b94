import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Registry } from '@bufbuild/protobuf';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { envoyRegistry } from '../../operator/xds/testing/envoy-registry.ts';
import { findObjections } from '../../operator/xds/testing/envoy-validation.ts';
import { goldenNames, loadGoldenCase } from '../../operator/xds/testing/golden-case.ts';
import { buildStaticBootstrap, type StaticSecrets } from '../../operator/xds/testing/static-bootstrap.ts';
import { testSecrets } from '../../operator/xds/testing/test-certificates.ts';

/** Everything that the pod of a golden case is sent, whether the case shows it or not. */
let registry: Registry;
let secrets: StaticSecrets;
let directory: string;

beforeAll(async () => {
  registry = envoyRegistry();
  secrets = await testSecrets('spiffe://cluster.local/ns/shop/sa/default');
  directory = mkdtempSync(join(tmpdir(), 'goldens-'));
}, 60_000);
afterAll(() => rmSync(directory, { recursive: true, force: true }));

test.each(goldenNames())(
  'Envoy accepts all of the golden case %s',
  async (name) => {
    const { cache, proxy } = loadGoldenCase(name);
    const bootstrap = buildStaticBootstrap(cache, proxy, registry, secrets);
    expect(await findObjections(bootstrap, join(directory, `${name}.json`))).toBe('');
  },
  60_000,
);
