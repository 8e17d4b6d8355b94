import type { PodFacts } from '../../operator/mesh/pod.ts';
import { ADMIN_PORT } from '../../proxy/ports.ts';
import type { Cluster } from '../cluster-options.ts';
import { type PodHttp, podHttp } from '../forward/pod-http.ts';

/** Envoy's admin interface of a pod's sidecar. Whoever makes one closes it. */
export function adminOf({ config }: Pick<Cluster, 'config'>, { namespace, name }: PodFacts): PodHttp {
  return podHttp(config, { namespace, pod: name, port: ADMIN_PORT }, `the sidecar of ${namespace}/${name}`);
}
