import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Registry } from '@bufbuild/protobuf';
import { afterAll, beforeAll } from '@jest/globals';
import type { ProxyIdentity, ResourceSource } from '../../../operator/xds/resource.ts';
import { envoyRegistry } from '../../../operator/xds/testing/envoy-registry.ts';
import { findObjections } from '../../../operator/xds/testing/envoy-validation.ts';
import { buildStaticBootstrap, type StaticSecrets } from '../../../operator/xds/testing/static-bootstrap.ts';
import { testSecrets } from '../../../operator/xds/testing/test-certificates.ts';

/** For the tests of a file: gives what the real Envoy has to say against all that a proxy is sent; '' when it takes it. */
export function useEnvoyJudge(): (source: ResourceSource, proxy: ProxyIdentity) => Promise<string> {
  let registry: Registry;
  let secrets: StaticSecrets;
  let directory: string;

  beforeAll(async () => {
    registry = envoyRegistry();
    secrets = await testSecrets('spiffe://cluster.local/ns/shop/sa/default');
    directory = mkdtempSync(join(tmpdir(), 'envoy-judge-'));
  }, 60_000);
  afterAll(() => rmSync(directory, { recursive: true, force: true }));

  return (source, proxy) =>
    findObjections(buildStaticBootstrap(source, proxy, registry, secrets), join(directory, 'envoy.json'));
}
