import { Credentials } from './credentials.ts';
import { KubeApi } from './kube-api.ts';
import { type ClusterOptions, loadKubeConfig } from './kube-config.ts';
import { Transport } from './transport.ts';

/**
 * Connects to the cluster that the options, the environment or the pod's service account name.
 * @throws {Error} when there is no such configuration
 */
export function connectKube(options: ClusterOptions = {}, userAgent = 'heddle'): KubeApi {
  return new KubeApi(new Transport(new Credentials(loadKubeConfig(options)), userAgent));
}
