import {
  CAPTURE,
  COREDNS,
  ensureBinary,
  type GoProgram,
  METRICS_SERVER,
  OTEL_COLLECTOR,
  TINY,
} from '../cluster/binaries.ts';
import { COREDNS_IMAGE, PAUSE_IMAGE } from '../cluster/layout.ts';
import { ENVOY_VERSION, envoyBinary } from '../envoy/binary.ts';
import { METRICS_SERVER_IMAGE } from '../metrics-server/manifest.ts';
import { prometheusBinary } from '../prometheus/binary.ts';
import { fileEntry, programEntries } from './closure.ts';
import { buildStage } from './stage.ts';
import { type BuiltImage, storeImage, storeLayer } from './store.ts';
import { systemEntries } from './system-files.ts';

/** The names under which manifests ask for the images. */
export const ENVOY_IMAGE = `envoyproxy/envoy:v${ENVOY_VERSION}`;
export const HEDDLE_IMAGE = 'heddle/heddle:dev';
export const SHOP_IMAGE = 'heddle/shop:dev';
export const TESTBED_IMAGE = 'heddle/testbed:dev';
export const CAPTURE_IMAGE = 'heddle/capture:dev';
export const PROMETHEUS_IMAGE = 'heddle/prometheus:dev';
export const OTEL_COLLECTOR_IMAGE = 'heddle/otel-collector:dev';

const PATH_VARIABLE = { PATH: '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin' };

/** How each image is made, by name. */
export const IMAGES: Readonly<Record<string, () => Promise<BuiltImage>>> = {
  [PAUSE_IMAGE]: buildPause,
  [COREDNS_IMAGE]: buildCoreDns,
  [ENVOY_IMAGE]: buildEnvoy,
  [HEDDLE_IMAGE]: () => buildStage(HEDDLE_IMAGE, 'heddle'),
  [SHOP_IMAGE]: () => buildStage(SHOP_IMAGE, 'shop'),
  [TESTBED_IMAGE]: () => buildStage(TESTBED_IMAGE, 'testbed'),
  [CAPTURE_IMAGE]: () => buildProgram(CAPTURE_IMAGE, CAPTURE),
  [PROMETHEUS_IMAGE]: buildPrometheus,
  [METRICS_SERVER_IMAGE]: () => buildProgram(METRICS_SERVER_IMAGE, METRICS_SERVER),
  [OTEL_COLLECTOR_IMAGE]: () => buildProgram(OTEL_COLLECTOR_IMAGE, OTEL_COLLECTOR),
};

async function buildPause(): Promise<BuiltImage> {
  const layer = await storeLayer([await fileEntry('/pause', await ensureBinary(TINY), 0o755)]);
  return storeImage(PAUSE_IMAGE, [layer], { environment: {}, entrypoint: ['/pause'], user: '65535:65535' });
}

/** A program of Go and nothing else, as the stage of the Dockerfile that has its name. */
async function buildProgram(image: string, program: GoProgram): Promise<BuiltImage> {
  const file = `/${program.binary}`;
  const layer = await storeLayer([await fileEntry(file, await ensureBinary(program), 0o755)]);
  return storeImage(image, [layer], { environment: {}, entrypoint: [file], user: '65532:65532' });
}

async function buildCoreDns(): Promise<BuiltImage> {
  const binary = await fileEntry('/coredns', await ensureBinary(COREDNS), 0o755);
  const layer = await storeLayer([binary, ...(await systemEntries())]);
  return storeImage(COREDNS_IMAGE, [layer], {
    environment: PATH_VARIABLE,
    entrypoint: ['/coredns'],
    user: '65532:65532',
  });
}

/** Stock Envoy: the upstream binary with an entry point that takes the same arguments as the public image's. */
async function buildEnvoy(): Promise<BuiltImage> {
  const layer = await storeLayer([
    ...(await programEntries({ '/usr/local/bin/envoy': await envoyBinary() })),
    await fileEntry('/docker-entrypoint.sh', await ensureBinary(TINY), 0o755),
    ...(await systemEntries()),
  ]);
  return storeImage(ENVOY_IMAGE, [layer], {
    environment: PATH_VARIABLE,
    entrypoint: ['/docker-entrypoint.sh'],
    command: ['envoy', '-c', '/etc/envoy/envoy.yaml'],
  });
}

/** A Prometheus for the end-to-end tests: Debian's binary, and nothing else of its package. */
async function buildPrometheus(): Promise<BuiltImage> {
  const layer = await storeLayer([
    ...(await programEntries({ '/prometheus': await prometheusBinary() })),
    ...(await systemEntries()),
  ]);
  return storeImage(PROMETHEUS_IMAGE, [layer], { environment: {}, entrypoint: ['/prometheus'], user: '65532:65532' });
}
