import { Registry } from 'prom-client';
import { meshConfig } from '../../api/mesh-config.ts';
import { connectKube } from '../../kube/connect.ts';
import { createLogger } from '../../kube/logger.ts';
import { AdsServer } from '../../operator/ads/server.ts';
import { TokenAuthenticator } from '../../operator/ads/token-authenticator.ts';
import { KeyFetcher } from '../../operator/jwks/key-fetcher.ts';
import { blockList } from '../../operator/outward/destination.ts';
import { ClusterStores } from '../../operator/wiring/cluster-stores.ts';
import { Pipeline } from '../../operator/wiring/pipeline.ts';
import { tokenPorts } from '../../operator/wiring/token-review.ts';
import { XdsCache } from '../../operator/xds/xds-cache.ts';
import { SYSTEM_NAMESPACE } from '../../proxy/names.ts';
import { makeServerCertificate } from '../feature/support/server-certificate.ts';

/**
 * The child that says what is right: a control plane made from what the API server has now, wired as in the operator, but that it writes nothing, has
 * seen no faults and remembers no workload.
 */

const logger = createLogger('fresh', { HEDDLE_LOG_LEVEL: 'error' });
const api = connectKube({ kubeconfig: process.argv[2] }, 'heddle-bench-fresh');
// The proxies, which play pods, are all on this machine.
const mesh = meshConfig.parse({ proxy: { configurationLoading: 'on-demand', natAddresses: ['127.0.0.1'] } });
const stores = new ClusterStores(api, logger, mesh, SYSTEM_NAMESPACE);
const cache = new XdsCache();
const pipeline = new Pipeline(mesh, cache, logger, (error) => {
  throw error;
});
await stores.start();
pipeline.start({ ...stores, jwks: new KeyFetcher({ allowed: blockList([]), logger }) });
const server = new AdsServer({
  sources: [cache],
  authenticator: new TokenAuthenticator(
    tokenPorts(
      api,
      stores,
      (uid) => pipeline.snapshot.workloads.has(uid),
      () => undefined,
    ),
  ),
  metricsSink: { receive: () => undefined },
  logger,
  registry: new Registry(),
});
const certificate = await makeServerCertificate();
server.setCertificate(certificate);
const port = await server.listen(0, '127.0.0.1');
process.on('disconnect', () => process.exit(0));
process.send?.({ port, certificate });
